"""What the order page borrows from shipments about its parcels: words for each, and the way to send a part."""

from django import template

from shipments import parcelwords

register = template.Library()


@register.simple_tag
def attach_parcels(order, shipments, notices, lines):
    """Each shipment in hand gets its `words`; writes nothing on the page."""
    parcelwords.attach(order, shipments, notices, lines)
    return ""


@register.simple_tag
def units_left(lines):
    """Units of these lines that have not left."""
    return sum(line.quantity - line.quantity_shipped for line in lines)
