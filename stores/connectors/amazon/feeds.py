"""The fulfilment feed in Amazon's XML, and its processing report; pure. Order of the elements: part of the format.

A message holds order, line and tracking numbers, no person. Only refused or warned messages are in a report: what was
processed and is not listed was accepted.
"""

import xml.etree.ElementTree as ET  # noqa: S405  writes only; reading is defusedxml's
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from defusedxml import DefusedXmlException
from defusedxml import ElementTree as Defused

from orderhub.errors import UnexpectedAnswer
from stores.connectors.amazon.client import utc
from stores.connectors.base import Parcel

FULFILMENT = "POST_ORDER_FULFILLMENT_DATA"
CONTENT_TYPE = "text/xml; charset=UTF-8"
MAX_BYTES = 20 * 1024 * 1024
MOST_MESSAGES = 5000  # in one submission: far below Amazon's 10 MiB
WHOLE = 0  # the message id of what concerns the submission as a whole
TEXT_LIMIT = 300


@dataclass(frozen=True)
class RemoteFeed:
    """A submission as Amazon lists it. `status`: IN_QUEUE, IN_PROGRESS, DONE, CANCELLED or FATAL."""

    feed_id: str
    status: str
    report_id: str = ""
    created_at: datetime | None = None


@dataclass(frozen=True)
class Refusal:
    """What Amazon says of a message it refused. `text` may repeat an address: kept as personal data, never logged."""

    code: str
    text: str = field(repr=False)
    order_number: str = ""


@dataclass(frozen=True)
class FeedReport:
    """`refused` by message id; `whole`: why nothing at all was processed, if so."""

    processed: int
    refused: dict[int, Refusal]
    whole: Refusal | None = None


def document(seller_id: str, parcels: Iterable[tuple[int, Parcel]]) -> bytes:
    """One message a parcel, each under a positive number of ours that comes back in the report."""
    envelope = ET.Element("AmazonEnvelope")
    header = ET.SubElement(envelope, "Header")
    _add(header, "DocumentVersion", "1.01")
    _add(header, "MerchantIdentifier", seller_id)
    _add(envelope, "MessageType", "OrderFulfillment")
    for number, parcel in parcels:
        message = ET.SubElement(envelope, "Message")
        _add(message, "MessageID", str(number))
        _add(message, "OperationType", "Update")
        _fulfilment(ET.SubElement(message, "OrderFulfillment"), parcel)
    return ET.tostring(envelope, encoding="UTF-8", xml_declaration=True)


def _fulfilment(element: ET.Element, parcel: Parcel) -> None:
    _add(element, "AmazonOrderID", parcel.order_number)
    _add(element, "MerchantFulfillmentID", parcel.reference)
    _add(element, "FulfillmentDate", utc(parcel.shipped_at))
    data = ET.SubElement(element, "FulfillmentData")
    _add(data, "CarrierCode", parcel.carrier_code)
    _add(data, "CarrierName", parcel.carrier_name)
    _add(data, "ShippingMethod", parcel.service)
    _add(data, "ShipperTrackingNumber", parcel.tracking_number)
    if parcel.cash_on_delivery:
        _add(element, "CODCollectionMethod", "DirectPayment")
    for item_id, quantity in parcel.items:
        item = ET.SubElement(element, "Item")
        _add(item, "AmazonOrderItemCode", item_id)
        _add(item, "Quantity", str(quantity))


def _add(element: ET.Element, name: str, text: str) -> None:
    """An empty text makes no element; what XML cannot hold is left out."""
    text = "".join(sign for sign in text if sign.isprintable()).encode("utf-8", "ignore").decode()
    if text:
        ET.SubElement(element, name).text = text


def unpacked(body: bytes, *, gzipped: bool) -> bytes:
    """A document's bytes. UnexpectedAnswer, code TooLarge or UnreadableAnswer, for one that is too large or no gzip."""
    if not gzipped:
        return body
    inflating = zlib.decompressobj(wbits=31)
    try:
        found = inflating.decompress(body, MAX_BYTES + 1)
    except zlib.error:
        raise UnexpectedAnswer("feed report: not gzip", code="UnreadableAnswer") from None
    if len(found) > MAX_BYTES:
        raise UnexpectedAnswer("feed report: too large", code="TooLarge")
    if not inflating.eof:
        raise UnexpectedAnswer("feed report: cut short", code="UnreadableAnswer")
    return found


def report(body: bytes) -> FeedReport:
    """A processing report. UnexpectedAnswer where it is none, or holds a document type, an entity or an external one."""
    try:
        envelope = Defused.fromstring(body, forbid_dtd=True)
    except (ET.ParseError, DefusedXmlException, ValueError, LookupError):
        raise UnexpectedAnswer("feed report: not readable", code="UnreadableAnswer") from None
    found = envelope.find("Message/ProcessingReport")
    if envelope.findtext("MessageType") != "ProcessingReport" or found is None:
        raise UnexpectedAnswer("feed report: not a processing report", code="UnreadableAnswer")
    refused: dict[int, Refusal] = {}
    for result in found.findall("Result"):
        if _text(result, "ResultCode") == "Error":
            refused.setdefault(_number(result, "MessageID"), _refusal(result))
    whole = refused.pop(WHOLE, None)
    if _text(found, "StatusCode") == "Rejected":
        whole = whole or Refusal("Rejected", "")
    return FeedReport(_number(found, "ProcessingSummary/MessagesProcessed"), refused, whole)


def _refusal(result: ET.Element) -> Refusal:
    code = "".join(sign for sign in _text(result, "ResultMessageCode") if sign.isascii() and sign.isalnum())[:60]
    return Refusal(code, _text(result, "ResultDescription"), _text(result, "AdditionalInfo/AmazonOrderID")[:60])


def _text(element: ET.Element, path: str) -> str:
    text = (element.findtext(path) or "").strip()[:TEXT_LIMIT]
    return "".join(sign if sign.isprintable() else " " for sign in text)


def _number(element: ET.Element, path: str) -> int:
    text = (element.findtext(path) or "").strip()
    if not (text.isascii() and text.isdigit() and len(text) <= 20):
        raise UnexpectedAnswer(f"feed report: {path} is not a number", code="UnreadableAnswer")
    return int(text)
