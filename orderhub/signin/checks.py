"""What must hold of signing in before anything starts. Each check says what to change."""

from django.conf import settings
from django.core.checks import Error, Tags, register
from django.db import DatabaseError

from orderhub.models import User
from orderhub.signin import addresses
from orderhub.signin.forms import names_nobody


@register(Tags.security)
def sign_in_is_set_up(app_configs, **kwargs) -> list[Error]:
    wrong = []
    if settings.PRODUCTION and not settings.REQUIRE_SECOND_FACTOR:
        wrong.append("REQUIRE_SECOND_FACTOR must be on")
    if settings.PASSWORD_POLICY not in {"dpp", "asvs"}:
        wrong.append("PASSWORD_POLICY must be dpp or asvs")
    if settings.TRUSTED_PROXIES < 0:
        wrong.append("TRUSTED_PROXIES must be 0 or more")
    try:
        addresses.networks(tuple(settings.ADMIN_ALLOWLIST))
    except ValueError:
        wrong.append("ADMIN_ALLOWLIST must be networks such as 10.1.0.0/16, separated by commas")
    return [Error(f"{text}.", id="orderhub.E020") for text in wrong]


@register(Tags.security)
def every_account_is_a_persons(app_configs, **kwargs) -> list[Error]:
    """In production nobody signs in as admin, test or demo: what was done could not be told to a person."""
    if not settings.PRODUCTION:
        return []
    try:
        active = list(User.objects.filter(is_active=True, is_client=False).values_list("username", flat=True))
    except DatabaseError:  # not migrated yet
        return []
    return [
        Error(f"User {name!r}: give this account a person's own name, or make it inactive.", id="orderhub.E021")
        for name in sorted(active)
        if names_nobody(name)
    ]
