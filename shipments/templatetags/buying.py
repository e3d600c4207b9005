"""What the order page borrows about bought labels."""

from django import template

from orderhub import clock
from shipments import buyshowing

register = template.Library()


@register.simple_tag
def label_shop(user, order):
    return buyshowing.panel_for(user, order, now=clock.now())
