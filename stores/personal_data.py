"""What this app's tables hold: sellers and their credentials, no buyers."""

from privacy.registry import Table
from stores.personal_purposes import SHELVES  # noqa: F401  read by the registry

TABLES = {
    "stores_merchant": Table.of(public="id name created_at"),
    "stores_amazonaccount": Table.of(
        public="id merchant_id region selling_partner_id account_type country credential_kind seller_plan status",
        operational="authorized_at authorization_expires_at status_reason verified_at participations has_pii_role epoch "
        "warned_days imported_until window_after window_bound page_token last_poll_at next_poll_at clock_skew_s",
        staff="verified_by_id",
        secret="refresh_token",
    ),
    "stores_store": Table.of(
        public="id merchant_id name platform account_id marketplace time_zone product_identifier active import_afn "
        "import_customization custom_fields_enabled japan_enabled custom_field_1 custom_field_2 custom_field_3 brand_name "
        "brand_logo brand_phone brand_site brand_from_email approved_sender notify_when notify_delay_minutes "
        "short_stock product_title_policy product_image_policy product_weight_policy product_dimensions_policy linked_store_id "
        "amazon_told_by ship_from created_at correct_tracking mail_shipped mail_delivered slip_message slip_shows_sku "
        "retention_unshipped_days retention_shipped_days retention_label_days redaction_strict legal_hold",
        operational="approved_sender_confirmed_at linked_mails_off_at",
        staff="approved_sender_confirmed_by_id linked_mails_off_by_id",
    ),
    "stores_marketplacestatus": Table.of(public="id store_id name status"),
    "stores_bigcommercecredentials": Table.of(
        public="id store_id store_hash shop_name amazon_channel_id mailing_statuses",
        operational="status status_reason verified_at",
        staff="verified_by_id",
        secret="access_token",
    ),
    "stores_authorizationattempt": Table.of(
        operational="id region account_id created_at expires_at used_at",
        staff="user_id",
        secret="state_hash session_hash draft_key",
    ),
    "stores_clientsecretseen": Table.of(operational="id first_seen_at warned_days", secret="fingerprint"),
    "stores_digestreceipt": Table.of(operational="id digest sent_at", staff="user_id"),
    "stores_connectiondraft": Table.of(operational="id valid_until", secret="key_hash session_hash sealed"),
    "stores_featuregrant": Table.of(operational="id store_id feature enabled granted_at reason", staff="granted_by_id"),
    "stores_ratebucket": Table.of(
        operational="id account_id operation tokens rate burst updated_at blocked_until throttled version"
    ),
    "stores_unconnectedorder": Table.of(operational="id account_id marketplace_id order_number seen_at"),
}
