"""What the order page borrows from shipments: words for notices, and the form for one parcel."""

from django import template

from orderhub import clock
from shipments import buyernotes, byhand, correcting, noticewords, opening, pushing, remedies, slips
from shipments.forms import rows_for
from shipments.models import ShipmentNotification

register = template.Library()


@register.simple_tag
def notice_words(notice):
    return noticewords.of(notice, now=clock.now())


@register.simple_tag
def notice_expected(notice):
    return noticewords.expected(notice, now=clock.now())


@register.simple_tag
def notice_checklist(notice):
    """What to do about a notice that does not go through, and what was done."""
    return remedies.checklist(notice)


@register.simple_tag
def notice_push_refusal(notice):
    """Why retrying now would only lengthen the wait; one query where the notice is throttled."""
    return pushing.Gate(clock.now()).why_not(notice)


@register.simple_tag
def notice_mark_refusal(notice):
    return byhand.why_not(notice)


@register.simple_tag
def notice_done_reasons():
    return ShipmentNotification.DoneReason.choices


@register.simple_tag
def notice_correction(notice, shipments, notices):
    """The number Amazon shows though its parcel was voided, the one it could be given, and what stands against it."""
    new = correcting.candidate(notice, shipments, notices)
    if new is None:
        return None
    known = correcting.known_at_amazon(notice, notices)
    return {"known": known, "new": new, "refusal": correcting.why_not(notice.order.store, new, notices)}


@register.simple_tag
def parcel_form(order):
    """The row for one order with its unbound form: carrier and service as rules wish, else as its store used last."""
    return rows_for([order.pk], now=clock.now())[0]


@register.simple_tag
def slip_offered(user, order):
    """Whether this user may print the order's packing slip now."""
    return not slips.why_not(order, now=clock.now()) and slips.may_print(user, order)


@register.simple_tag
def label_offers(label):
    """How a label can be opened now."""
    return opening.offers(label, now=clock.now())


@register.simple_tag
def buyer_notes(user, order, shipments):
    """What the page shows of the notes on packing slips, by shipment."""
    return buyernotes.panel_for(user, order, shipments, now=clock.now())


@register.simple_tag
def of_key(found, key):
    return found.get(key)
