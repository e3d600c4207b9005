"""Signed-in sessions for tests, without going through the sign-in page each time."""

from orderhub import clock, freshness


def freshen(client) -> None:
    """The client's session proved just now who it is (`orderhub.freshness`). After `force_login`."""
    session = client.session
    session[freshness.KEY] = clock.now().timestamp()
    session.save()
