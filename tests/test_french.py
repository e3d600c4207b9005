"""French is the language of the back-office: nothing is left in English, and it reads as French is written."""

import ast
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import translation

from orderhub.errors import RuleViolation
from orders.models import Order
from shipments import dispatching
from stores import connecting
from tests.conftest import NOON

# The same word in both languages, or a name. Whatever else equals its source was forgotten.
SAME = {
    "Administration", "Amazon (FBA)", "Canada", "Europe", "France", "Import", "Logo", "OrderHub", "Prime", "Service",
    "Standard", "dimensions", "district", "documents", "inactive", "logo", "photo", "service", "total", "version",
    "ASIN", "Action", "Actions", "E-mail", "Notes", "PDF (A4)", "Photo", "SKU", "Stock", "Test", "Total", "action",
    "actions", "import", "note", "notes", "options", "position", "promotion", "promotions", "signature", "test", "trace",
    "%(count)s min", "%(count)s s", "document", "format", "Pages", "Services", "Code", "%(service)s, %(price)s",
    "%(action)s (%(why)s)", "strict", "Signatures", "session", "sessions", "export", "%(fact)s %(test)s", "%(grams)d g", "%(grams)s g", "%(value)s mm",
    "API", "Client", "Webhooks", "client", "secret", "webhook", "webhooks",
}  # fmt: skip
SMALL_IN_FRENCH = {
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
    "IOSS number",
    "API client",
    "API key",
    "API key changed",
    "API key refused",
    "API keys",
}
ENGLISH = re.compile(r"\b(the|and|with|this|your|from|orders?|store|shipment|label|shipped|until|not)\b", re.IGNORECASE)
QUOTED_ENGLISH = ("Merchant Token", "refresh token")
WRONG_MARKS = re.compile(r"(?<!\u00a0)[:;!?»](?=\s|$)|«(?!\u00a0)|[’“”]|\.\.\.|  ")
WRITERS = {
    "_",
    "_now",
    "gettext",
    "gettext_lazy",
    "gettext_noop",
    "ngettext",
    "ngettext_lazy",
    "pgettext",
    "pgettext_lazy",
}
APPS = ("orderhub", "privacy", "stores", "orders", "shipments")

SERVICE_LEVELS = {
    "EXPEDITED": "Express",
    "FREE_ECONOMY": "Économique gratuit",
    "NEXT_DAY": "J+1",
    "SECOND_DAY": "J+2",
    "SAME_DAY": "Le jour même",
    "SCHEDULED": "Programmée",
    "STANDARD": "Standard",
    "PRIORITY": "Prioritaire",
}
STATUSES = {
    "awaiting_payment": "En attente de paiement",
    "awaiting_shipment": "À expédier",
    "pending_fulfillment": "Traitement en cours",
    "on_hold": "Mise en attente",
    "shipped": "Expédiée",
    "cancelled": "Annulée",
}


@pytest.fixture(scope="module")
def catalogue():
    """Every string of the source with its translation, as `manage.py catalogue` sees them."""
    pytest.importorskip("babel", reason="Babel reads the source; it comes with requirements-dev.txt")
    from orderhub.management.commands.catalogue import merged

    return merged()


def pairs(catalogue) -> list[tuple[str, str]]:
    """Source and translation of what is translated; of a plural the last form on both sides."""
    found = []
    for message in catalogue:
        source, french = (
            (text[-1] if isinstance(text, tuple) else text or "") for text in (message.id, message.string)
        )
        if source and french:
            found.append((source, french))
    return found


def test_every_string_of_the_source_is_translated_and_compiled(catalogue):
    from orderhub.management.commands.catalogue import complaints

    assert list(complaints(catalogue)) == []


def test_a_string_is_collected_wherever_it_stands_in_the_source(catalogue):
    collected = {
        part for message in catalogue for part in ([*message.id] if isinstance(message.id, tuple) else [message.id])
    }
    assert [where for where, text in _written_strings() if text not in collected] == []


def test_a_translation_equals_its_source_only_where_the_word_is_french_too(catalogue):
    assert {source for source, french in pairs(catalogue) if source == french} - SAME == set()


def test_no_english_word_is_left_inside_a_translation(catalogue):
    left = []
    for source, french in pairs(catalogue):
        text = re.sub(r"%\(\w+\)[sd]", "", french)
        for quoted in QUOTED_ENGLISH:
            text = text.replace(quoted, "")
        if source not in SAME and ENGLISH.search(text):
            left.append(french)
    assert left == []


def test_french_punctuation_has_its_spaces_and_marks(catalogue):
    assert [french for _source, french in pairs(catalogue) if WRONG_MARKS.search(french)] == []


def test_a_label_stays_a_label_and_a_sentence_a_sentence(catalogue):
    """Model fields are lower case, headings and sentences begin with a capital; the final mark is the source's."""
    odd = []
    for source, french in pairs(catalogue):
        case = (
            source in SMALL_IN_FRENCH
            or source.startswith(("%", "Amazon"))
            or source[0].isupper() == french[0].isupper()
            or french[0] == "%"
        )
        if not case or (source[-1] in ".:…") != (french[-1] in ".:…"):
            odd.append((source, french))
    assert odd == []


def test_service_levels_are_named_as_agreed():
    with translation.override("fr"):
        assert {level.value: str(level.label) for level in Order.ServiceLevel} == SERVICE_LEVELS


def test_order_statuses_agree_with_commande():
    with translation.override("fr"):
        assert {status.value: str(status.label) for status in Order.Status} == STATUSES


@pytest.mark.parametrize(
    "path",
    ["stores/connecting.py", "orders/models/order.py", "shipments/dispatching.py"],
    ids=["connect", "order", "ship"],
)
def test_every_refusal_of_a_module_comes_out_in_french(path):
    refusals = _refusals(settings.BASE_DIR / path)
    assert refusals
    with translation.override("fr"):
        assert [text for text in refusals if translation.gettext(text) == text] == []


@pytest.mark.parametrize(
    ("order", "sentence"),
    [
        ({"fulfilled_by": "AFN"}, "La commande 42 est expédiée par Amazon (FBA) : il n'y a rien à faire ici."),
        ({"status": "shipped"}, "La commande 42 est déjà expédiée. Ouvrez-la pour voir son expédition."),
        ({"status": "cancelled"}, "La commande 42 est annulée : ne l'expédiez pas."),
        (
            {"status": "on_hold"},
            "La commande 42 est en attente. Levez d'abord la mise en attente, sur la page de la commande.",
        ),
        (
            {"status": "awaiting_payment"},
            "La commande 42 n'est pas encore payée : attendez qu'Amazon autorise son expédition.",
        ),
        (
            {"status": "awaiting_shipment", "cancel_requested_at": NOON},
            "L'acheteur de la commande 42 demande son annulation. Décidez-en d'abord sur la page de la commande.",
        ),
        (
            {"status": "awaiting_shipment", "pii_state": "redacted"},
            "L'adresse de la commande 42 a été expurgée à l'échéance. Expédiez-la depuis Seller Central.",
        ),
    ],
)  # fmt: skip
def test_an_order_that_must_not_leave_says_why_in_french(order, sentence):
    held = Order(**{"order_number": "42", "fulfilled_by": "MFN"} | order)
    with translation.override("fr"):
        assert held.why_not_shippable().replace("\u00a0", " ") == sentence


@pytest.mark.parametrize(
    ("carrier", "tracking", "sentence"),
    [
        ("", "6A123", "Le transporteur de la commande 42 manque : choisissez-le."),
        ("ups", " - ", "Saisissez le numéro de suivi de la commande 42 : Amazon refuse une expédition sans numéro."),
        (
            "ups",
            "n° 7",
            "Le numéro de suivi de la commande 42 doit compter de 4 à 40 lettres et chiffres, rien d'autre. "
            "Vérifiez-le sur l'étiquette.",
        ),
    ],
)
def test_an_incomplete_parcel_is_refused_in_french(carrier, tracking, sentence):
    wish = dispatching.ParcelWish(carrier=carrier, tracking_number=tracking, ship_date=NOON.date())
    with translation.override("fr"), pytest.raises(RuleViolation) as refusal:
        dispatching.clean(wish, "42")
    assert str(refusal.value).replace("\u00a0", " ") == sentence


@pytest.mark.parametrize(
    ("region", "seller", "token", "sentence"),
    [
        ("XX", "A1", "Atzr|x", "Choisissez la région : Amérique du Nord, Europe ou Extrême-Orient."),
        (
            "EU",
            "A-1",
            "Atzr|x",
            "Un identifiant vendeur ne contient que des lettres et des chiffres, par exemple A1EXAMPLE2SELLER. "
            "Copiez-le depuis Seller Central.",
        ),
        ("EU", "A1", "", "Collez le jeton d'autorisation affiché par Seller Central."),
        (
            "EU",
            "A1",
            "amzn.mws.0",
            "Ceci est un jeton MWS ; Amazon a fermé MWS en 2024. Autorisez l'application dans Seller Central et collez "
            "le nouveau jeton, qui commence par Atzr|.",
        ),
        (
            "EU",
            "A1",
            "Atzr|x y",
            "Ceci n'est pas un jeton d'autorisation : copiez-le à nouveau, sans espace ni retour à la ligne.",
        ),
    ],
)
def test_a_mistyped_connection_is_refused_in_french_before_amazon_is_asked(region, seller, token, sentence):
    with translation.override("fr"), pytest.raises(RuleViolation) as refusal:
        connecting.verify(region, seller, token)
    assert str(refusal.value).replace("\u00a0", " ") == sentence


# -- reading the source


def _written_strings() -> list[tuple[str, str]]:
    """Every literal handed to gettext, with its place. The syntax tree also sees calls inside f-strings."""
    found = []
    for app in APPS:
        for path in sorted((settings.BASE_DIR / app).rglob("*.py")):
            if {"migrations", "simulator"} & set(path.parts):
                continue
            place = path.relative_to(settings.BASE_DIR)
            found += [(f"{place}:{line}: {text}", text) for line, text in _literals(ast.parse(path.read_text("utf-8")))]
    return found


def _literals(tree: ast.AST) -> list[tuple[int, str]]:
    """Line and text of the literals handed to gettext below a node; a context is no text."""
    found = []
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and isinstance(call.func, (ast.Name, ast.Attribute)):
            name = call.func.id if isinstance(call.func, ast.Name) else call.func.attr
            texts = call.args[1:] if "pgettext" in name else call.args
            if name in WRITERS:
                found += [
                    (call.lineno, text.value)
                    for text in texts
                    if isinstance(text, ast.Constant) and isinstance(text.value, str)
                ]
    return found


def _refusals(path: Path) -> list[str]:
    """The sentences a module raises as RuleViolation, and those its `why_not_…` functions return."""
    tree = ast.parse(path.read_text("utf-8"))
    raised = [node for node in ast.walk(tree) if isinstance(node, ast.Raise) and "RuleViolation" in ast.dump(node)]
    asked = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name.startswith("why_not_")]
    return [text for node in (*raised, *asked) for _line, text in _literals(node)]


def test_the_compiled_file_carries_no_date_of_its_making(catalogue):
    from orderhub.management.commands.catalogue import compiled

    header = compiled(catalogue).decode(errors="replace")
    dates = set(re.findall(r"Date: (\S+)", header))
    assert dates <= {"2026-01-01"}
