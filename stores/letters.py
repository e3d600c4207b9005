"""What mails to buyers say, in the language in use: plain text in short paragraphs. Nothing here knows who may get them."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from stores.models import Store


@dataclass(frozen=True, repr=False)  # no repr: it would carry a buyer's name into tracebacks
class About:
    """What every letter is about. `name`: the buyer's, or ''."""

    store: Store
    number: str
    name: str = ""


@dataclass(frozen=True)
class Way:
    """How a parcel travels. `url`: the carrier's public tracking page, or ''."""

    carrier: str
    tracking: str
    url: str = ""


@dataclass(frozen=True, repr=False)
class Letter:
    """A subject and paragraphs."""

    subject: str
    paragraphs: list[str]

    @property
    def body(self) -> str:
        return "\n\n".join(self.paragraphs) + "\n"


def shown_name(store: Store) -> str:
    """What buyers know the shop by."""
    return store.brand_name or store.merchant.name


def return_label(about: About) -> Letter:
    """The letter that a return label is attached to."""
    told = {"number": about.number}
    text = _("The return label for your order %(number)s is attached. Print it and fix it on the parcel.") % told
    return _letter(about, _("Your return label for order %(number)s") % told, text)


def shipped(about: About, way: Way, *, note: str = "") -> Letter:
    """The parcel left. `note`: what the shop adds for this buyer, or ''."""
    told = {"number": about.number, "carrier": way.carrier, "tracking": way.tracking}
    text = _("Your order %(number)s is on its way with %(carrier)s. Tracking number: %(tracking)s") % told
    follow = [_("Follow the parcel: %(address)s") % {"address": way.url}] if way.url else []
    return _letter(about, _("Your order %(number)s is on its way") % told, text, *follow, *filter(None, [note.strip()]))


def delivered(about: About, carrier: str) -> Letter:
    """The parcel arrived."""
    told = {"number": about.number, "carrier": carrier}
    text = _("%(carrier)s reports that the parcel of your order %(number)s was delivered.") % told
    ask = _("If you did not receive it, answer this mail.")
    return _letter(about, _("Your order %(number)s was delivered") % told, text, ask)


def _letter(about: About, subject: str, *paragraphs: str) -> Letter:
    hello = _("Hello %(name)s,") % {"name": about.name} if about.name else _("Hello,")
    return Letter(subject, [hello, *paragraphs, _closing(about.store)])


def _closing(store: Store) -> str:
    return ", ".join(filter(None, [shown_name(store), store.brand_phone, store.brand_site]))
