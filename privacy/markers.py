"""The one place where the text that replaces personal data is written."""

import re

AMAZON = "EXPURGÉ (Amazon)"
RGPD = "EXPURGÉ (RGPD)"
MARKERS = (AMAZON, RGPD)
REASONS = {AMAZON: "amazon", RGPD: "rgpd"}  # as Order.redaction_reason has them

_RELAY = re.compile(r"[^@\s\"<>,;]+@marketplace\.amazon\.(?:com|[a-z]{2}|co\.[a-z]{2}|com\.[a-z]{2})", re.IGNORECASE)


def is_relay(address: str) -> bool:
    """Whether Amazon already masks this e-mail address. The whole text must be one address of a relay domain.

    `x@marketplace.amazon.com.evil.example` and `"Jean" <x@marketplace.amazon.fr>` are not.
    """
    return bool(_RELAY.fullmatch(address))
