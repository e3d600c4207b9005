"""Signing in, for tests: through the pages as a browser does, or a session made fresh at once."""

from datetime import timedelta

from django.urls import reverse

from orderhub import clock, freshness
from orderhub.models import User
from orderhub.signin import secondfactor, sessions
from orderhub.signin.models import Authenticator, StaffSession

LOGIN = "/admin/login/"
CHECK = "/account/second-factor/code/"
FACTOR = "/account/second-factor/"
PASSWORD = "correct horse battery"  # noqa: S105  make_user's


def freshen(client) -> None:
    """The client's session proved just now who it is (`orderhub.freshness`). After `force_login`."""
    session = client.session
    session[freshness.KEY] = clock.now().timestamp()
    session.save()


def enrol(user: User) -> Authenticator:
    """The user has a second factor, whose codes `code_of` tells."""
    device = secondfactor.start(user)
    Authenticator.objects.filter(pk=device.pk).update(confirmed=True)
    return secondfactor.of(user)


def code_of(user: User, *, steps: int = 0) -> str:
    """What the user's phone shows now, or so many half minutes later."""
    return secondfactor.code_at(secondfactor.of(user), clock.now() + steps * timedelta(seconds=30))


def type_password(client, user, password: str = PASSWORD, *, address: str = "127.0.0.1", **more):
    name = user if isinstance(user, str) else user.username
    typed = {"username": name, "password": password, "next": reverse("admin:index")}
    return client.post(LOGIN, typed, REMOTE_ADDR=address, **more)


def type_code(client, code: str, *, address: str = "127.0.0.1", page: str = CHECK):
    return client.post(page, {"code": code}, REMOTE_ADDR=address)


def sign_in(client, user: User, *, address: str = "127.0.0.1") -> StaffSession:
    """The whole way through the pages, with a code where the user has a second factor."""
    type_password(client, user, address=address)
    if secondfactor.of(user):
        type_code(client, code_of(user), address=address)
    return StaffSession.objects.get(pk=client.session[sessions.KEY])


def is_in(client) -> bool:
    """Whether the next page opens; asked of the admin's smallest one."""
    return client.get(reverse("admin:jsi18n")).status_code == 200
