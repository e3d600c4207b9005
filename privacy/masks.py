"""Which values of a person each role sees: plain, masked until a reason is given, or not at all.

Deny by default: a column or a role that is not written here shows nothing. Superusers are no role.
"""

from dataclasses import dataclass
from enum import IntEnum

from django.db import models
from django.utils.translation import gettext_lazy as _

from privacy import access

MASK = "••••••"  # as long for every value: its length tells nothing


class Sight(IntEnum):
    """How much is seen of a value; of two roles the one that sees more counts."""

    NONE = 0
    MASKED = 1  # that there is something; what it is, once a reason is given
    PLAIN = 2


class Reason(models.TextChoices):
    """Why masked values are shown. A code: no free text, so that no name gets into a log."""

    BUYER = "buyer_contact", _("the buyer called or wrote")
    CARRIER = "carrier_claim", _("claim with the carrier")
    ADDRESS = "wrong_address", _("the address seems wrong")
    ERASURE = "erasure_request", _("request for access or erasure")
    AUTHORITY = "authority", _("an authority asks")


class ExportReason(models.TextChoices):
    """Why somebody's personal data leaves in a file. A code, as above."""

    ACCESS = "access_request", _("the buyer asks what is kept (GDPR, article 15)")
    AUTHORITY = "authority", _("an authority asks")
    AUDIT = "amazon_audit", _("audit by Amazon")


WORDS = {code: words for kind in (Reason, ExportReason) for code, words in kind.choices}  # of every reason in the log
PLACE = frozenset({"city", "district", "state", "country"})  # stays after an erasure: no secret of the order
CONTACT = frozenset({"buyer_email", "phone", "email"})
NAMED = frozenset({
    "buyer_name", "buyer_username", "buyer_company", "purchase_order_number", "recipient_name", "recipient_company",
    "street1", "street2", "street3", "postal_code", "gift_message", "buyer_notes", "delivery_instructions",
    "romanised_name", "romanised_company", "romanised_street1", "romanised_street2", "romanised_street3",
    "romanised_city", "romanised_state", "custom_field_1", "custom_field_2", "custom_field_3", "name", "user_name",
})  # fmt: skip


@dataclass(frozen=True)
class Sights:
    """What one role sees of a person: `named`, who it is and where; `contact`, e-mail address and phone."""

    named: Sight = Sight.NONE
    contact: Sight = Sight.NONE


PLAIN, MASKED, NOTHING = Sights(Sight.PLAIN, Sight.PLAIN), Sights(Sight.MASKED, Sight.MASKED), Sights()
TABLE: dict[str, tuple[Sights, Sights]] = {  # role -> (while the order is open, afterwards)
    access.SUPPORT: (PLAIN, PLAIN),
    access.SUCCESS: (MASKED, MASKED),
    access.WAREHOUSE: (Sights(named=Sight.PLAIN), NOTHING),  # phone on the label only
    access.PRIVACY: (MASKED, MASKED),
    access.ADMINISTRATOR: (NOTHING, NOTHING),
    access.API_CLIENT: (NOTHING, NOTHING),
    access.API_CLIENT_WITH_NAMES: (PLAIN, PLAIN),
}


@dataclass(frozen=True)
class View:
    """What one user sees of one order's person, or of a customer. Ask `of(column)` before showing a value."""

    named: Sight = Sight.NONE
    contact: Sight = Sight.NONE

    def of(self, column: str) -> Sight:
        if column in PLACE:
            return Sight.PLAIN
        return self.named if column in NAMED else self.contact if column in CONTACT else Sight.NONE

    def shown(self, column: str, value: str) -> str:
        """The value as this user sees it; '' where there is none or none may be seen."""
        sight = self.of(column)
        return value if sight == Sight.PLAIN or not value else MASK if sight == Sight.MASKED else ""

    @property
    def sees_person(self) -> bool:
        return self.named == Sight.PLAIN

    @property
    def is_masked(self) -> bool:
        """Whether giving a reason would show more."""
        return Sight.MASKED in {self.named, self.contact}


def view_of(user, *, order_open: bool, revealed: bool = False) -> View:
    """This user's view. `revealed`: a reason was given and recorded, so what is masked is plain."""
    if not user.is_active:
        return View()
    held = [TABLE[role][0 if order_open else 1] for role in access.role_names(user) if role in TABLE]
    named = max((sights.named for sights in held), default=Sight.NONE)
    contact = max((sights.contact for sights in held), default=Sight.NONE)
    return View(_plain(named), _plain(contact)) if revealed else View(named, contact)


def _plain(sight: Sight) -> Sight:
    return Sight.PLAIN if sight == Sight.MASKED else sight
