"""The second factor: codes of an authenticator app (TOTP, RFC 6238), and ten recovery codes for when it is lost.

A code counts once: the step it belongs to is kept, and one conditional UPDATE decides between two who send it.
"""

import base64
import hashlib
import secrets
from urllib.parse import quote, urlencode

from django.db import transaction
from django_otp.oath import TOTP

from orderhub import clock
from orderhub.models import User
from orderhub.signin.models import Authenticator, RecoveryCode

ISSUER = "OrderHub"
STEP_S, DIGITS, TOLERANCE = 30, 6, 1
CODES, GROUPS = 10, 4
ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # 32 signs that are not mistaken for each other: 80 bits in 16


def of(user: User) -> Authenticator | None:
    return Authenticator.objects.filter(user=user, confirmed=True).first()


def being_enrolled(user: User) -> Authenticator | None:
    return Authenticator.objects.filter(user=user, confirmed=False).first()


def start(user: User) -> Authenticator:
    """A new key to be confirmed, or the one that was begun. The present factor goes on until then."""
    given = {"key": secrets.token_hex(20), "name": "TOTP"}
    return Authenticator.objects.get_or_create(user=user, confirmed=False, defaults=given)[0]


def confirm(device: Authenticator, code: str) -> list[str] | None:
    """Make a key that was begun the user's second factor, if the code is right; returns new recovery codes, to be
    shown now and never again. None: the code is wrong, nothing changed."""
    with transaction.atomic():
        if not _accept(device, code):
            return None
        Authenticator.objects.filter(user_id=device.user_id, confirmed=True).delete()
        Authenticator.objects.filter(pk=device.pk).update(confirmed=True, created_at=clock.now())
        return new_recovery_codes(device.user)


def check(user: User, typed: str) -> str:
    """'code', 'recovery' or '' (wrong, or used before): what the user typed instead of knowing."""
    device = of(user)
    if device is not None and _accept(device, typed):
        return "code"
    spent = RecoveryCode.objects.filter(user=user, digest=_digest(user.pk, typed), used_at__isnull=True)
    return "recovery" if device is not None and spent.update(used_at=clock.now()) else ""


def remove(user: User) -> bool:
    """Forget the second factor, one that was begun, and the recovery codes. Returns whether there was one."""
    with transaction.atomic():
        had = of(user) is not None
        Authenticator.objects.filter(user=user).delete()
        RecoveryCode.objects.filter(user=user).delete()
    return had


def new_recovery_codes(user: User) -> list[str]:
    """Ten codes instead of those before. Only their hashes are kept."""
    codes = ["-".join("".join(secrets.choice(ALPHABET) for _ in range(4)) for _ in range(GROUPS)) for _ in range(CODES)]
    with transaction.atomic():
        RecoveryCode.objects.filter(user=user).delete()
        RecoveryCode.objects.bulk_create(RecoveryCode(user=user, digest=_digest(user.pk, code)) for code in codes)
    return codes


def codes_left(user: User) -> int:
    return RecoveryCode.objects.filter(user=user, used_at__isnull=True).count()


def key_as_text(device: Authenticator) -> str:
    """The key as apps take it by hand: base 32, in groups of four."""
    text = base64.b32encode(bytes.fromhex(device.key)).decode()
    return " ".join(text[start : start + 4] for start in range(0, len(text), 4))


def key_as_address(device: Authenticator) -> str:
    """The key as apps read it from a picture."""
    key = base64.b32encode(bytes.fromhex(device.key)).decode()
    asked = urlencode({"secret": key, "issuer": ISSUER, "digits": DIGITS, "period": STEP_S})
    return f"otpauth://totp/{ISSUER}:{quote(device.user.username)}?{asked}"


def code_at(device: Authenticator, instant) -> str:
    """What the app shows at this instant."""
    return f"{_clockwork(device, instant).token():0{DIGITS}d}"


def _accept(device: Authenticator, typed: str) -> bool:
    digits = "".join(typed.split())
    if not (digits.isascii() and digits.isdigit() and len(digits) == DIGITS):
        return False
    clockwork = _clockwork(device, clock.now())
    if not clockwork.verify(int(digits), tolerance=TOLERANCE, min_t=device.last_step + 1):
        return False
    step = clockwork.t()
    return bool(Authenticator.objects.filter(pk=device.pk, last_step__lt=step).update(last_step=step))


def _clockwork(device: Authenticator, instant) -> TOTP:
    clockwork = TOTP(bytes.fromhex(device.key), step=STEP_S, digits=DIGITS)
    clockwork.time = instant.timestamp()
    return clockwork


def _digest(user_id: int, code: str) -> str:
    """80 random bits need no slow hash. Blanks, dashes and capitals do not matter."""
    plain = "".join(sign for sign in code.upper() if sign in ALPHABET)
    return hashlib.sha512(f"{user_id}:{plain}".encode()).hexdigest()
