"""What the tables of webhooks hold: ids, codes and secrets, no buyers."""

from privacy.registry import Table

TABLES = {
    "webhooks_endpoint": Table.of(
        operational="id key_id surface name url_shown events store_ids active created_at failures failing_since"
        " paused_until disabled_at disabled_because",
        secret="url secret",
    ),
    "webhooks_delivery": Table.of(
        operational="id endpoint_id event_id event source order_id shipment_id account_id store_id happened_at state"
        " attempts next_attempt_at lease_until last_status last_error created_at tried_until delivered_at"
    ),
    "webhooks_feedcursor": Table.of(operational="id position reached mark marked_at orders_at orders_id"),
}
