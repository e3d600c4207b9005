"""The fulfilment feed: reads the XML, applies it message by message, writes the processing report.

The order of elements is part of the format. One result code of Amazon's is known (18028, order not found);
the others here are made up, from 90001 on.
"""

import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from datetime import datetime

from stores.simulator.clock import whole_milliseconds
from stores.simulator.confirming import Confirmation, NotConfirmed, confirm
from stores.simulator.world import World

_SEQUENCE = [
    "AmazonOrderID",
    "MerchantOrderID",
    "MerchantFulfillmentID",
    "FulfillmentDate",
    "FulfillmentData",
    "CODCollectionMethod",
    "Item",
    "ShipFromAddress",
    "ShipFromSupplySourceId",
]
_DATA_SEQUENCE = ["CarrierCode", "CarrierName", "ShippingMethod", "ShipperTrackingNumber"]
_ITEM_SEQUENCE = [
    "AmazonOrderItemCode",
    "MerchantOrderItemID",
    "MerchantFulfillmentItemID",
    "Quantity",
    "TransparencyCode",
]
_POSITIVE = re.compile(r"[1-9][0-9]{0,19}")


class Refused(Exception):
    def __init__(self, code: int, text: str, order_id: str = "") -> None:
        super().__init__(text)
        self.code, self.text, self.order_id = code, text, order_id


@dataclass(frozen=True)
class Result:
    message_id: str
    code: int
    text: str
    order_id: str = ""


def process(world: World, seller_id: str, body: bytes, at: datetime, *, refuse_every: int = 0) -> tuple[bool, bytes]:
    """Apply a feed: was it fatal as a whole, and the report. `refuse_every` n: each n-th message fails."""
    try:
        messages = _messages(body, seller_id)
    except Refused as reason:
        return True, _report(seller_id, 0, [Result("0", reason.code, reason.text)])
    results, seen = [], set()
    for index, message in enumerate(messages, 1):
        message_id = (message.findtext("MessageID") or "").strip()
        try:
            if not _POSITIVE.fullmatch(message_id) or message_id in seen:
                raise Refused(90001, "MessageID is not a positive number, or not unique in the feed.")
            seen.add(message_id)
            if refuse_every and index % refuse_every == 0:
                raise Refused(90002, "The message could not be processed.", _order_id(message))
            _apply(world, seller_id, message, at)
        except Refused as reason:
            results.append(Result(message_id or "0", reason.code, reason.text, reason.order_id))
    return False, _report(seller_id, len(messages), results)


def _messages(body: bytes, seller_id: str) -> list[ET.Element]:
    if b"<!DOCTYPE" in body or b"<!ENTITY" in body:
        raise Refused(90003, "A document type is not allowed.")
    try:
        envelope = ET.fromstring(body)
    except ET.ParseError:
        raise Refused(90004, "The feed is not well-formed XML.") from None
    if envelope.tag != "AmazonEnvelope" or envelope.findtext("MessageType") != "OrderFulfillment":
        raise Refused(90005, "The envelope or its message type is not what the feed type asks for.")
    if not re.fullmatch(r"\d{1,2}\.\d{1,2}", envelope.findtext("Header/DocumentVersion") or ""):
        raise Refused(90005, "DocumentVersion is missing or invalid.")
    if envelope.findtext("Header/MerchantIdentifier") != seller_id:
        raise Refused(90006, "MerchantIdentifier is not the seller's.")
    return envelope.findall("Message")


def _order_id(message: ET.Element) -> str:
    return (message.findtext("OrderFulfillment/AmazonOrderID") or "").strip()


def _check_sequence(element: ET.Element, names: list[str]) -> None:
    tags = [child.tag for child in element]
    if any(tag not in names for tag in tags) or tags != sorted(tags, key=names.index):
        raise Refused(90007, f"The elements of {element.tag} are unknown or out of order.")


def _apply(world: World, seller_id: str, message: ET.Element, at: datetime) -> None:
    body = message.find("OrderFulfillment")
    if body is None:
        raise Refused(90005, "OrderFulfillment is missing.")
    _check_sequence(body, _SEQUENCE)
    order_id = _order_id(message)
    order = world.orders.get(order_id)
    if order is None or order.seller_id != seller_id:
        raise Refused(18028, "The order id was not found for this merchant.", order_id)
    try:
        confirm(world, order, _wish(message, body, order_id), at)
    except NotConfirmed as reason:
        raise Refused(90008, str(reason), order_id) from None


def _wish(message: ET.Element, body: ET.Element, order_id: str) -> Confirmation:
    data = body.find("FulfillmentData")
    if data is None:
        raise Refused(90009, "FulfillmentData is missing.", order_id)
    _check_sequence(data, _DATA_SEQUENCE)
    reference = _text(body, "MerchantFulfillmentID") or f"{message.findtext('MessageID')}"
    if not _POSITIVE.fullmatch(reference):
        raise Refused(90009, "MerchantFulfillmentID is not a positive number.", order_id)
    carrier, carrier_name = _text(data, "CarrierCode"), _text(data, "CarrierName")
    if not (carrier or carrier_name) or (carrier == "Other" and not carrier_name):
        raise Refused(90009, "The carrier is missing.", order_id)
    return Confirmation(
        reference=reference,
        carrier=carrier or "Other",
        tracking=_text(data, "ShipperTrackingNumber"),
        shipped_at=_date(_text(body, "FulfillmentDate"), order_id),
        items=_items(body, order_id),
        carrier_name=carrier_name,
        service=_text(data, "ShippingMethod"),
        cod=_text(body, "CODCollectionMethod"),
        channel="feed",
    )


def _text(element: ET.Element, name: str) -> str:
    return (element.findtext(name) or "").strip()


def _date(text: str, order_id: str) -> datetime:
    try:
        return whole_milliseconds(datetime.fromisoformat(text))
    except ValueError:
        raise Refused(90009, "FulfillmentDate is not a date-time with a zone.", order_id) from None


def _items(body: ET.Element, order_id: str) -> dict[str, int] | None:
    """None where no item is named: the whole order is shipped."""
    items: dict[str, int] = {}
    for line in body.findall("Item"):
        _check_sequence(line, _ITEM_SEQUENCE)
        quantity = _text(line, "Quantity") or "1"
        if not _POSITIVE.fullmatch(quantity):
            raise Refused(90009, "Quantity is not a positive number.", order_id)
        item_id = _text(line, "AmazonOrderItemCode")
        items[item_id] = items.get(item_id, 0) + int(quantity)
    return items or None


def _report(seller_id: str, processed: int, results: list[Result]) -> bytes:
    """Only messages that failed get a Result; message 0 is the feed as a whole."""
    envelope = ET.Element("AmazonEnvelope")
    header = ET.SubElement(envelope, "Header")
    ET.SubElement(header, "DocumentVersion").text = "1.02"
    ET.SubElement(header, "MerchantIdentifier").text = seller_id
    ET.SubElement(envelope, "MessageType").text = "ProcessingReport"
    message = ET.SubElement(envelope, "Message")
    ET.SubElement(message, "MessageID").text = "1"
    report = ET.SubElement(message, "ProcessingReport")
    ET.SubElement(report, "DocumentTransactionID").text = "50001019876"
    ET.SubElement(report, "StatusCode").text = "Rejected" if processed == 0 and results else "Complete"
    summary = ET.SubElement(report, "ProcessingSummary")
    failed = sum(result.message_id != "0" for result in results)
    counts = {
        "Processed": processed,
        "Successful": processed - failed,
        "WithError": len(results),
        "WithWarning": 0,
    }
    for name, count in counts.items():
        ET.SubElement(summary, f"Messages{name}").text = str(count)
    for result in results:
        _add_result(report, result)
    return ET.tostring(envelope, encoding="UTF-8", xml_declaration=True)


def _add_result(report: ET.Element, result: Result) -> None:
    element = ET.SubElement(report, "Result")
    ET.SubElement(element, "MessageID").text = result.message_id
    ET.SubElement(element, "ResultCode").text = "Error"
    ET.SubElement(element, "ResultMessageCode").text = str(result.code)
    ET.SubElement(element, "ResultDescription").text = result.text
    if result.order_id:
        more = ET.SubElement(element, "AdditionalInfo")
        ET.SubElement(more, "AmazonOrderID").text = result.order_id
