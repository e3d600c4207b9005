"""What the wiring's tables hold: staff and job records, no buyers."""

from privacy.registry import Table

TABLES = {
    "orderhub_user": Table.of(
        staff="id username first_name last_name email is_staff is_active is_superuser date_joined last_login language "
        "password_changed_at password_is_temporary active_since is_client",
        secret="password",
    ),
    "orderhub_user_groups": Table.of(staff="id user_id group_id"),
    "orderhub_user_user_permissions": Table.of(staff="id user_id permission_id"),
    "orderhub_jobrun": Table.of(operational="id job started_at finished_at ok outcome error_id"),
    "orderhub_apikey": Table.of(
        operational="id name prefix scopes store_ids networks naive_zone rate_per_minute created_at expires_at "
        "last_used_at revoked_at revoked_because",
        staff="user_id owner_id",
        secret="secret_hash",
    ),
    "orderhub_apiuse": Table.of(operational="id key_id surface kind name count first_at last_at"),
    "orderhub_idempotentrequest": Table.of(
        operational="id key_id route at status object_ids", secret="value_hash body_hash"
    ),
    "orderhub_ratewindow": Table.of(operational="name started_at used"),
    "orderhub_joblease": Table.of(operational="job holder expires_at starts"),
}
