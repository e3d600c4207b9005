"""What a password must be (numbers and rules of Amazon's data protection policy), and how long it lasts.

PASSWORD_POLICY=asvs leaves out the four kinds of characters, the least and the greatest age: where no data of Amazon is
held, long passwords that nobody is forced to change are better.
"""

import re
import unicodedata
from datetime import datetime

from django.conf import settings
from django.contrib.auth.hashers import check_password
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from orderhub import clock

PART = 4


def by_amazons_rules() -> bool:
    return settings.PASSWORD_POLICY == "dpp"  # noqa: S105  a name


class FourKinds:
    """Capital letters, small letters, digits, and others that are no blank."""

    def validate(self, password, user=None):
        if by_amazons_rules() and not all(any(map(kind, password)) for kind in KINDS):
            raise ValidationError(self.get_help_text(), code="password_kinds")

    def get_help_text(self):
        if not by_amazons_rules():
            return ""
        return _("Your password must contain a capital letter, a small letter, a digit and a sign such as ! or -.")


KINDS = (str.isupper, str.islower, str.isdigit, lambda sign: not (sign.isalnum() or sign.isspace()))


class NoPartOfTheUserName:
    """No four letters in a row of the user name, whatever their accents and capitals."""

    def validate(self, password, user=None):
        folded = _fold(password)
        if any(part in folded for part in parts_of(getattr(user, "username", "") or "")):
            raise ValidationError(self.get_help_text(), code="password_user_name")

    def get_help_text(self):
        return _("Your password must not contain a part of your user name of four letters or more.")


class NotUsedBefore:
    """Neither the present password nor one of the ten before it."""

    def validate(self, password, user=None):
        if user is None or user.pk is None:
            return
        former = user.former_passwords.order_by("-pk").values_list("password", flat=True)
        if any(check_password(password, known) for known in (user.password, *former[: _remembered()])):
            raise ValidationError(self.get_help_text(), code="password_used_before")

    def get_help_text(self):
        return _("Your password must not be one of the last %(count)s you had.") % {"count": _remembered()}

    def password_changed(self, password, user=None):
        """Called by Django once a user with a new password was saved: keep the hash of the one before."""
        if user is not None and user.password_before:
            user.former_passwords.create(password=user.password_before)
            user.password_before = ""


def may_change_at(user) -> datetime | None:
    """From when on this user may change the password again; None: now. The first one, and one that an administrator
    set, may be changed at once."""
    if not by_amazons_rules() or user.password_is_temporary or not user.former_passwords.exists():
        return None
    at = user.password_changed_at + settings.PASSWORD_MIN_AGE
    return at if clock.now() < at else None


def must_change(user) -> bool:
    """Whether nothing else can be done before the password is changed: another set it, or it is too old."""
    too_old = by_amazons_rules() and clock.now() - user.password_changed_at > settings.PASSWORD_MAX_AGE
    return user.password_is_temporary or too_old


def parts_of(name: str) -> set[str]:
    """Every four letters in a row, folded."""
    runs = [run for run in re.findall(r"[^\W\d_]+", _fold(name)) if len(run) >= PART]
    return {run[start : start + PART] for run in runs for start in range(len(run) - PART + 1)}


def _fold(text: str) -> str:
    spread = unicodedata.normalize("NFKD", text)
    return "".join(sign for sign in spread if not unicodedata.combining(sign)).casefold()


def _remembered() -> int:
    from orderhub.signin.models import PasswordHistory

    return PasswordHistory.REMEMBERED
