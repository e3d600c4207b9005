"""The demo shop's automation rules, and what support does about them at each visit."""

from datetime import datetime, timedelta

from orderhub.models import User
from orders import alerting, deciding
from orders.models import AutomationRule, Order, Tag

LATER = timedelta(days=1)  # how long support takes; what came in since is left for whoever tries the demo
FAST = ["EXPEDITED", "NEXT_DAY", "SECOND_DAY", "SAME_DAY", "PRIORITY"]


def make(*, by: User, now: datetime) -> None:
    """Four rules as a shop would have them, switched on."""
    support = User.objects.get(username="support")
    gift = Tag.objects.create(name="Cadeau", level="info")
    urgent = Tag.objects.create(name="Urgent", level="warn")
    rules = (
        ("Cadeaux : étiqueter", _order("gift", "yes"), [("tag", [gift.pk]), ("note", "Sans facture dans le colis.")]),
        (
            "Grosses commandes : vérifier",
            _order("order_total", "at_least", {"amount": "60", "currency": "USD"}),
            [("hold", "check"), ("confirmation", "signature")],
        ),
        (
            "Express : traiter d'abord",
            _order("service_level", "one_of", FAST),
            [("tag", [urgent.pk]), ("assign", support.pk)],
        ),
        (
            "Japon : relire l'adresse",
            _order("marketplace", "one_of", ["JP"]),
            [("alert", "Japon : relire l'adresse en caractères latins avant l'étiquette.")],
        ),
    )
    AutomationRule.objects.bulk_create(
        AutomationRule(
            name=name, position=position, active=True, criteria=criteria, changed_at=now, changed_by=by,
            actions=[{"do": do, "value": value} for do, value in actions],
        )
        for position, (name, criteria, actions) in enumerate(rules, start=1)
    )  # fmt: skip


def _order(fact: str, test: str, value=None) -> list[dict]:
    return [{"lines": "", "criteria": [{"fact": fact, "test": test, "value": value}]}]


def look_after(*, by: User, now: datetime) -> None:
    """Support checks what a rule held, and deals with alerts."""
    known = Order.objects.filter(rules_ran_at__lt=now - LATER)
    for order in known.filter(status=Order.Status.ON_HOLD, hold_reason=deciding.HOLD_REASONS["check"]):
        deciding.release(order, by=by, now=now)
    for order in known.exclude(alert=""):
        alerting.dealt_with(order, order.alert, by=by, now=now)
