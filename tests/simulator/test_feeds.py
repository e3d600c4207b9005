"""The fulfilment feed: documents, the queue, message by message, the processing report."""

import gzip
import xml.etree.ElementTree as ET
from datetime import timedelta

import pytest

from stores.simulator import scenarios

from .asking import XML, Reply

FEEDS = "/feeds/2021-06-30"


def message(number, order, *, reference="", items="", carrier="<CarrierCode>USPS</CarrierCode>", order_id="") -> str:
    fulfilment_id = f"<MerchantFulfillmentID>{reference}</MerchantFulfillmentID>" if reference else ""
    return (
        f"<Message><MessageID>{number}</MessageID><OperationType>Update</OperationType><OrderFulfillment>"
        f"<AmazonOrderID>{order_id or order.order_id}</AmazonOrderID>{fulfilment_id}"
        "<FulfillmentDate>2026-11-23T11:00:00Z</FulfillmentDate>"
        f"<FulfillmentData>{carrier}<ShipperTrackingNumber>TRACK{number}</ShipperTrackingNumber></FulfillmentData>"
        f"{items}</OrderFulfillment></Message>"
    )


def feed_of(*messages, merchant=scenarios.NA.seller_id, prolog="") -> bytes:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>{prolog}<AmazonEnvelope><Header><DocumentVersion>1.01'
        f"</DocumentVersion><MerchantIdentifier>{merchant}</MerchantIdentifier></Header>"
        f"<MessageType>OrderFulfillment</MessageType>{''.join(messages)}</AmazonEnvelope>"
    ).encode()


def storage(us, method, url, body=b"", **headers) -> Reply:
    target = url.removeprefix("http://testserver")
    return us.send(method, target, body, {name.replace("_", "-"): value for name, value in headers.items()})


def submit(us, body: bytes) -> str:
    document = us.ask("POST", f"{FEEDS}/documents", data={"contentType": XML}).json
    assert storage(us, "PUT", document["url"], body, Content_Type=XML).status == 200
    wish = {
        "feedType": "POST_ORDER_FULFILLMENT_DATA",
        "marketplaceIds": ["ATVPDKIKX0DER"],
        "inputFeedDocumentId": document["feedDocumentId"],
    }
    return us.ask("POST", f"{FEEDS}/feeds", data=wish).json["feedId"]


def state(us, feed_id) -> dict:
    return us.ask("GET", f"{FEEDS}/feeds/{feed_id}").json


def report(us, feed_id) -> ET.Element:
    found = us.ask("GET", f"{FEEDS}/documents/{state(us, feed_id)['resultFeedDocumentId']}").json
    body = storage(us, "GET", found["url"]).body
    body = gzip.decompress(body) if found.get("compressionAlgorithm") == "GZIP" else body
    return ET.fromstring(body).find("Message/ProcessingReport")


def results(us, feed_id) -> dict[str, str]:
    found = report(us, feed_id).findall("Result")
    return {entry.findtext("MessageID"): entry.findtext("ResultMessageCode") for entry in found}


@pytest.fixture
def orders(world):
    return [world.add_order(scenarios.NA, items=[{"quantity": 2}]) for _ in range(4)]


def test_a_feed_waits_works_and_is_done(world, us, orders):
    feed_id = submit(us, feed_of(message(1, orders[0], reference="900001")))
    assert state(us, feed_id)["processingStatus"] == "IN_QUEUE"
    world.clock.advance(seconds=60)
    assert state(us, feed_id)["processingStatus"] == "IN_PROGRESS"
    assert world.ledger == []
    world.clock.advance(seconds=120)
    assert state(us, feed_id)["processingStatus"] == "DONE"
    entry = world.ledger[0]
    assert (entry["channel"], entry["package_reference"], entry["tracking"]) == ("feed", "900001", "TRACK1")
    assert orders[0].status == "SHIPPED"


def test_only_messages_that_failed_are_in_the_report(world, us, orders):
    cancelled = orders[1]
    world.cancel(cancelled.order_id)
    body = feed_of(
        message(1, orders[0]),
        message(2, cancelled),
        message(3, None, order_id="112-0000000-0000000"),
        message(4, orders[2], carrier="<CarrierCode>Other</CarrierCode>"),
    )
    feed_id = submit(us, body)
    world.clock.advance(seconds=200)
    assert set(results(us, feed_id)) == {"2", "3", "4"}
    assert results(us, feed_id)["3"] == "18028"
    summary = report(us, feed_id).find("ProcessingSummary")
    assert [summary.findtext(f"Messages{name}") for name in ("Processed", "Successful", "WithError")] == [
        "4",
        "1",
        "3",
    ]
    assert [entry["order_id"] for entry in world.ledger] == [orders[0].order_id]


def test_a_quantity_ships_a_part(world, us, orders):
    part = f"<Item><AmazonOrderItemCode>{orders[0].items[0].item_id}</AmazonOrderItemCode><Quantity>1</Quantity></Item>"
    submit(us, feed_of(message(1, orders[0], items=part)))
    world.clock.advance(seconds=200)
    assert world.orders[orders[0].order_id].status == "PARTIALLY_SHIPPED"


def test_a_call_with_the_feeds_number_is_an_edit_of_it(world, us, orders):
    submit(us, feed_of(message(1, orders[0], reference="900001")))
    world.clock.advance(seconds=200)
    world.settle()
    assert us.confirm(orders[0], "900001").status == 204
    assert [entry["effect"] for entry in world.ledger] == ["created", "edited"]
    assert world.effective_confirmations() == {orders[0].order_id: 1}


def test_elements_out_of_order_are_refused(world, us, orders):
    swapped = message(1, orders[0]).replace("<FulfillmentDate>2026-11-23T11:00:00Z</FulfillmentDate>", "")
    swapped = swapped.replace(
        "</OrderFulfillment>", "<FulfillmentDate>2026-11-23T11:00:00Z</FulfillmentDate></OrderFulfillment>"
    )
    feed_id = submit(us, feed_of(swapped))
    world.clock.advance(seconds=200)
    assert results(us, feed_id) == {"1": "90007"}


@pytest.mark.parametrize(
    "body",
    [
        feed_of(prolog="<!DOCTYPE AmazonEnvelope [<!ENTITY a 'b'>]>"),
        feed_of(merchant="SOMEBODYELSE"),
        b"<AmazonEnvelope>",
        b"not xml",
    ],
    ids=["doctype", "merchant", "unclosed", "text"],
)
def test_a_feed_wrong_as_a_whole_is_fatal_with_message_zero(world, us, body):
    feed_id = submit(us, body)
    world.clock.advance(seconds=200)
    assert state(us, feed_id)["processingStatus"] == "FATAL"
    assert set(results(us, feed_id)) == {"0"}


def test_feeds_of_a_seller_run_one_after_another(world, us, orders):
    first, second = submit(us, feed_of(message(1, orders[0]))), submit(us, feed_of(message(1, orders[1])))
    world.clock.advance(seconds=180)
    assert [state(us, feed)["processingStatus"] for feed in (first, second)] == ["DONE", "IN_PROGRESS"]
    world.clock.advance(seconds=120)
    assert state(us, second)["processingStatus"] == "DONE"


def test_a_fatal_feed_changes_nothing_and_has_no_document(world, us, orders):
    world.faults.arm("createFeed", "feed_fatal")
    feed_id = submit(us, feed_of(message(1, orders[0])))
    world.clock.advance(seconds=200)
    assert state(us, feed_id)["processingStatus"] == "FATAL"
    assert "resultFeedDocumentId" not in state(us, feed_id) and world.ledger == []


def test_a_stuck_feed_stays_in_progress(world, us, orders):
    world.faults.arm("createFeed", "feed_stuck")
    feed_id = submit(us, feed_of(message(1, orders[0])))
    world.clock.advance(seconds=3600 - 1)
    assert state(us, feed_id)["processingStatus"] == "IN_PROGRESS" and world.ledger == []


def test_a_partial_feed_refuses_every_nth_message(world, us, orders):
    world.faults.arm("createFeed", "feed_partial", every=2)
    feed_id = submit(us, feed_of(*(message(n, order) for n, order in enumerate(orders, 1))))
    world.clock.advance(seconds=200)
    assert results(us, feed_id) == {"2": "90002", "4": "90002"}
    assert {entry["order_id"] for entry in world.ledger} == {orders[0].order_id, orders[2].order_id}


def test_a_feed_can_be_cancelled_in_the_queue_only(world, us, orders):
    waiting = submit(us, feed_of(message(1, orders[0])))
    assert us.ask("DELETE", f"{FEEDS}/feeds/{waiting}").status == 200
    running = submit(us, feed_of(message(1, orders[1])))
    world.clock.advance(seconds=61)
    assert us.ask("DELETE", f"{FEEDS}/feeds/{running}").status == 400
    world.clock.advance(seconds=200)
    assert state(us, waiting)["processingStatus"] == "CANCELLED"
    assert {entry["order_id"] for entry in world.ledger} == {orders[1].order_id}


def test_upload_urls_die_after_five_minutes_and_take_no_second_credentials(world, us):
    document = us.ask("POST", f"{FEEDS}/documents", data={"contentType": XML}).json
    assert storage(us, "PUT", document["url"], b"x", Content_Type="text/plain").status == 403
    assert storage(us, "PUT", document["url"], b"x", Content_Type=XML, x_amz_access_token=us.token).status == 400
    assert storage(us, "PUT", document["url"], b"x", Content_Type=XML).status == 200
    world.clock.advance(seconds=300)
    assert storage(us, "PUT", document["url"], b"x", Content_Type=XML).status == 403


def test_reports_may_come_gzipped(world, us, orders):
    world.gzip_reports = True
    feed_id = submit(us, feed_of(message(1, orders[0])))
    world.clock.advance(seconds=200)
    assert report(us, feed_id).findtext("StatusCode") == "Complete"


def test_a_feed_needs_an_uploaded_document_and_a_known_type(us):
    document = us.ask("POST", f"{FEEDS}/documents", data={"contentType": XML}).json["feedDocumentId"]
    wish = {"feedType": "POST_ORDER_FULFILLMENT_DATA", "marketplaceIds": ["ATVPDKIKX0DER"]}
    assert us.ask("POST", f"{FEEDS}/feeds", data=wish | {"inputFeedDocumentId": document}).status == 400
    assert us.ask("POST", f"{FEEDS}/feeds", data={"feedType": "POST_PRODUCT_DATA"}).status == 400


def test_feeds_are_listed_newest_first_page_by_page(world, us):
    made = []
    for _ in range(3):
        made.append(submit(us, feed_of()))
        world.clock.advance(seconds=1)
    first = us.ask("GET", f"{FEEDS}/feeds", feedTypes="POST_ORDER_FULFILLMENT_DATA", pageSize=2).json
    rest = us.ask("GET", f"{FEEDS}/feeds", nextToken=first["nextToken"]).json
    assert [feed["feedId"] for feed in first["feeds"] + rest["feeds"]] == made[::-1]
    assert "nextToken" not in rest


def test_a_message_number_counts_once_in_a_feed(world, us, orders):
    feed_id = submit(us, feed_of(message(1, orders[0]), message(1, orders[1])))
    world.clock.advance(seconds=200)
    assert results(us, feed_id) == {"1": "90001"}
    assert [entry["order_id"] for entry in world.ledger] == [orders[0].order_id]


def test_an_input_document_is_good_for_two_days_and_a_report_for_28(world, us, orders):
    feed_id = submit(us, feed_of(message(1, orders[0])))
    uploaded = next(iter(world.documents))
    wish = {"feedType": "POST_ORDER_FULFILLMENT_DATA", "marketplaceIds": ["ATVPDKIKX0DER"]}
    world.clock.advance(seconds=2 * 86400)
    us.sign_in(scenarios.NA)
    assert us.ask("POST", f"{FEEDS}/feeds", data=wish | {"inputFeedDocumentId": uploaded}).status == 400
    path = f"{FEEDS}/documents/{state(us, feed_id)['resultFeedDocumentId']}"
    assert us.ask("GET", path).status == 200
    world.clock.advance(seconds=28 * 86400)
    assert us.sign_in(scenarios.NA).ask("GET", path).status == 404


def test_what_came_before_a_feed_was_done_came_before_it(world, us):
    """Nobody looks for an hour; a cancellation due after the feed must not overtake it."""
    order = world.add_order(scenarios.NA, cancels_at=world.clock.now() + timedelta(minutes=10))
    submit(us, feed_of(message(1, order)))
    world.clock.advance(seconds=3600)
    assert world.orders[order.order_id].status == "SHIPPED"
    assert world.effective_confirmations() == {order.order_id: 1}
