"""What this app's tables hold: sellers and their credentials, no buyers."""

from privacy.registry import Table

TABLES = {
    "stores_merchant": Table.of(public="id name created_at"),
    "stores_amazonaccount": Table.of(
        public="id merchant_id region selling_partner_id account_type seller_plan status",
        operational="authorized_at authorization_expires_at status_reason verified_at participations has_pii_role epoch "
        "imported_until window_after window_bound page_token last_poll_at next_poll_at clock_skew_s",
        staff="verified_by_id",
        secret="refresh_token",
    ),
    "stores_store": Table.of(
        public="id merchant_id name platform account_id marketplace time_zone product_identifier active import_afn "
        "custom_fields_enabled japan_enabled brand_name ship_from created_at"
    ),
    "stores_featuregrant": Table.of(operational="id store_id feature enabled granted_at reason", staff="granted_by_id"),
    "stores_ratebucket": Table.of(
        operational="id account_id operation tokens rate burst updated_at blocked_until throttled version"
    ),
    "stores_unconnectedorder": Table.of(operational="id account_id marketplace_id order_number seen_at"),
}
