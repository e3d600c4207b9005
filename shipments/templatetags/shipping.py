"""What the order page borrows from shipments: words for notices, and the form for one parcel."""

from django import template

from orderhub import clock
from shipments import noticewords
from shipments.forms import rows_for

register = template.Library()


@register.simple_tag
def notice_words(notice):
    return noticewords.of(notice, now=clock.now())


@register.simple_tag
def notice_expected(notice):
    return noticewords.expected(notice, now=clock.now())


@register.simple_tag
def parcel_form(order):
    """The unbound form for one order, with the carrier its store used last."""
    return rows_for([order.pk], now=clock.now())[0].form
