"""Mails to buyers: asked for here and nowhere else. Nothing of an address or a text is kept (R59–R62, R93).

`gateway` decides and writes the row, `delivering` sends what waits, `erasing` forgets to whom it went.
"""

from shipments.mails.gateway import after_delivery, after_shipping, request, send_again

__all__ = ["after_delivery", "after_shipping", "request", "send_again"]
