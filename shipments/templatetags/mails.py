"""What the order page borrows from the mails."""

from django import template

from shipments.mails import showing

register = template.Library()


@register.simple_tag
def mails_panel(order, parcels, returns):
    return showing.panel_for(order, parcels, returns)
