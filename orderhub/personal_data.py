"""What the wiring's tables hold: staff and job records, no buyers."""

from privacy.registry import Table

TABLES = {
    "orderhub_user": Table.of(
        staff="id username first_name last_name email is_staff is_active is_superuser date_joined last_login language "
        "password_changed_at password_is_temporary active_since",
        secret="password",
    ),
    "orderhub_user_groups": Table.of(staff="id user_id group_id"),
    "orderhub_user_user_permissions": Table.of(staff="id user_id permission_id"),
    "orderhub_jobrun": Table.of(operational="id job started_at finished_at ok outcome error_id"),
    "orderhub_joblease": Table.of(operational="job holder expires_at starts"),
}
