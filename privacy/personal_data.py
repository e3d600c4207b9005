"""What this app's own tables hold: proof without values."""

from privacy.registry import Table

TABLES = {
    "privacy_erasurecertificate": Table.of(
        operational="id kind order_id order_number subject_id rule due_at done_at fields documents marker version"
    ),
    "privacy_accesslog": Table.of(operational="id at order_id what why", staff="user_id"),
    "privacy_accessreview": Table.of(operational="id signed_at accounts digest", staff="signed_by_id"),
    "privacy_datakey": Table.of(operational="owner created_at", secret="wrapped"),
    "privacy_personaldatarequest": Table.of(
        operational="id order_ids reason state asked_at decided_at done_at",
        staff="asked_by_id decided_by_id second_by_id",
    ),
    "privacy_securityevent": Table.of(
        operational="id at code outcome actor roles kind ids reason request_id position digest", staff="user_id address"
    ),
    "privacy_securitychain": Table.of(operational="id position digest pruned_to pruned_digest verified_at broken_at"),
    "privacy_sweepstate": Table.of(operational="id last_ok_at last_now held_since held_why"),
}
