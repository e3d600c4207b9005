"""What the tables of signing in hold: staff and their secrets, no buyers."""

from privacy.registry import Table

TABLES = {
    "signin_staffsession": Table.of(staff="id user_id started_at last_seen_at signed_in_at ended_at reason"),
    "signin_authenticator": Table.of(staff="id user_id name confirmed created_at", secret="key last_step"),
    "signin_recoverycode": Table.of(staff="id user_id created_at used_at", secret="digest"),
    "signin_passwordhistory": Table.of(staff="id user_id replaced_at", secret="password"),
}
