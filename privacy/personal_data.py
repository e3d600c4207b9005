"""What this app's own tables hold: proof without values."""

from privacy.registry import Table

TABLES = {
    "privacy_erasurecertificate": Table.of(
        operational="id kind order_id order_number subject_id rule due_at done_at fields documents marker version"
    ),
    "privacy_accesslog": Table.of(operational="id at order_id what why", staff="user_id"),
}
