"""What the columns of an order file are called, in English and French, and how their cells are read. Pure.

The names are part of the file's format, not of the screens: a file reads the same whatever language its reader has.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import cache

from django.core.exceptions import ValidationError
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from orders.forms_entering import LINE, OWN, PERSON, HeadForm, LineForm
from orders.models import Order

LANGUAGES = ("en", "fr")
NUMBER, STATUS, TAGS = "order_number", "status", "tags"
_DAY = gettext_lazy("2026-11-30 or 30/11/2026, with a time such as 14:05; without one the day begins")
_MONEY = gettext_lazy("1234.56 or 1234,56")


@dataclass(frozen=True)
class Column:
    """`name`: the field it fills in. `also`: other headers it goes by. `how`: how its cells are written, or ''."""

    name: str
    english: str
    french: str
    also: tuple[str, ...] = ()
    how: str = ""

    @property
    def header(self) -> str:
        """In the reader's language."""
        return self.french if (translation.get_language() or "").startswith("fr") else self.english

    @property
    def is_line(self) -> bool:
        return self.name in LINE

    @property
    def is_read(self) -> bool:
        """Whether an import takes it; the others are in our exports only."""
        return self.name in {NUMBER, STATUS, TAGS, *OWN, *PERSON, *LINE}

    def clean(self, text: str):
        """The value of a cell. ValidationError, in the reader's language, that says what to do."""
        if self.name in _CODES:
            return _code(text, _CODES[self.name])
        field = (LineForm if self.is_line else HeadForm).base_fields[self.name]
        return field.clean(text)


ALL = (
    Column(NUMBER, "Order number", "N° de commande", ("order", "order id", "numéro de commande", "commande", "no de commande")),
    Column("store", "Store", "Boutique"),
    Column(STATUS, "Status", "Statut", ("état",), gettext_lazy("as the screens call it; empty: awaiting shipment")),
    Column("ordered_at", "Ordered at", "Date de commande", ("order date", "date", "commandé le", "commandée le"), _DAY),
    Column("ship_by", "Ship by", "À expédier avant", ("ship by date", "expédier avant le"), _DAY),
    Column("deliver_by", "Deliver by", "À livrer avant", ("delivery date", "livrer avant le"), _DAY),
    Column("shipped_at", "Shipped at", "Expédiée le"),
    Column("service_level", "Service level", "Niveau de service", (), gettext_lazy("as the screens call it")),
    Column("requested_service", "Requested service", "Service demandé", ("service", "shipping method", "mode de livraison")),
    Column("payment_method", "Payment method", "Mode de paiement", ("payment", "paiement")),
    Column("currency", "Currency", "Devise", ("monnaie",), gettext_lazy("three letters, such as EUR")),
    Column("item_total", "Items total", "Total des articles"),
    Column("shipping_total", "Shipping paid", "Frais de port", ("shipping", "port", "shipping cost"), _MONEY),
    Column("tax_total", "Tax total", "Total des taxes"),
    Column("discount_total", "Discount total", "Total des remises"),
    Column("order_total", "Order total", "Total de la commande", ("total",)),
    Column("recipient_name", "Recipient", "Destinataire", ("recipient name", "ship to", "name", "nom", "nom du destinataire")),
    Column("recipient_company", "Company", "Société", ("recipient company", "entreprise")),
    Column("street1", "Street 1", "Adresse 1", ("street", "address", "address 1", "adresse", "rue")),
    Column("street2", "Street 2", "Adresse 2", ("address 2", "complément d'adresse")),
    Column("street3", "Street 3", "Adresse 3", ("address 3",)),
    Column("postal_code", "Postcode", "Code postal", ("postal code", "zip", "zip code", "cp")),
    Column("city", "City", "Ville", ("town",)),
    Column("district", "District", "Quartier", ("arrondissement",)),
    Column("state", "State", "État ou région", ("region", "province", "région")),
    Column("country", "Country", "Pays", ("country code", "code pays"), gettext_lazy("two letters, such as FR")),
    Column("phone", "Phone", "Téléphone", ("telephone", "tél", "phone number")),
    Column("buyer_name", "Buyer", "Acheteur", ("buyer name", "customer", "client", "nom de l'acheteur")),
    Column("buyer_email", "E-mail", "E-mail", ("buyer email", "mail", "courriel", "adresse e-mail", "email address")),
    Column("buyer_company", "Buyer's company", "Société de l'acheteur", ("buyer company",)),
    Column("purchase_order_number", "Purchase order number", "N° de bon de commande", ("po number", "bon de commande")),
    Column("gift_message", "Gift message", "Message cadeau"),
    Column("buyer_notes", "Note from the buyer", "Note de l'acheteur", ("buyer note", "customer note", "commentaire")),
    Column("delivery_instructions", "Delivery instructions", "Instructions de livraison"),
    Column("sku", "SKU", "SKU", ("reference", "référence", "item sku", "réf")),
    Column("asin", "ASIN", "ASIN"),
    Column("title", "Title", "Titre", ("product", "item", "produit", "article", "désignation", "product name")),
    Column("quantity", "Quantity", "Quantité", ("qty", "qté", "units", "nombre")),
    Column("quantity_shipped", "Quantity shipped", "Quantité expédiée"),
    Column("unit_price", "Unit price", "Prix unitaire", ("price", "prix"), _MONEY),
    Column("tax", "Tax of the line", "Taxe de la ligne", ("tax", "taxe", "tva"), _MONEY),
    Column("discount", "Discount of the line", "Remise de la ligne", ("discount", "remise"), _MONEY),
    Column("weight_g", "Weight of one (g)", "Poids unitaire (g)", ("weight", "weight g", "poids", "poids g"), gettext_lazy("whole grams")),
    Column("warehouse_location", "Storage location", "Emplacement", ("location", "bin")),
    Column("options", "Options", "Options", (), gettext_lazy("Colour=Red | Size=M")),
    Column("custom_field_1", "Custom field 1", "Champ personnalisé 1"),
    Column("custom_field_2", "Custom field 2", "Champ personnalisé 2"),
    Column("custom_field_3", "Custom field 3", "Champ personnalisé 3"),
    Column(TAGS, "Tags", "Étiquettes", ("tag", "étiquette"), gettext_lazy("names of tags that exist, with | between them")),
    Column("tracking", "Tracking numbers", "Numéros de suivi", ("tracking number",)),
)  # fmt: skip
BY_NAME = {column.name: column for column in ALL}
REQUIRED = (NUMBER, "quantity", "currency")
MAY_BE_EMPTY = tuple(name for name in LINE if name != "quantity")


def plain(header: str) -> str:
    """A header without case, accents, spaces and punctuation: how two of them are compared."""
    bare = unicodedata.normalize("NFKD", header.casefold().replace("°", " o "))
    return re.sub(r"[^a-z0-9]", "", bare)


@cache
def by_header() -> dict[str, Column]:
    """Every column by all its headers, as plain() writes them."""
    found = {}
    for column in ALL:
        for header in (column.name, column.english, column.french, *column.also):
            known = found.setdefault(plain(header), column)
            assert known is column, header
    return found


@cache
def _labels(choices) -> dict[str, str]:
    """The codes of these choices by their code and their words in every language."""
    found = {plain(code): code for code in choices.values}
    for language in LANGUAGES:
        with translation.override(language):
            found |= {plain(str(label)): code for code, label in choices.choices}
    return found


_CODES = {STATUS: Order.Status, "service_level": Order.ServiceLevel}


def _code(text: str, choices) -> str:
    code = _labels(choices).get(plain(text), "")
    if text.strip() and not code:
        raise ValidationError(_("Write one of: %(choices)s.") % {"choices": ", ".join(map(str, choices.labels))})
    return code
