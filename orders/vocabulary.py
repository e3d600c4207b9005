"""The lists that rules choose from, with the names of what is in them: read once for a page, five queries."""

from functools import cached_property

from django.utils.translation import gettext as _

from orders import assigning
from orders.deciding import HOLD_REASONS
from orders.models import AutomationRule, Order, Tag
from orders.rules.actions import CONFIRMATIONS
from orders.rules.facts import SOURCES, WEEKDAYS
from stores import marketplaces
from stores.models import MarketplaceStatus, Store


class Vocabulary:
    """`get(code, {})`: values with their names, for a fact or an action that is chosen from a list.

    `editing`: the rule that is typed; a carrier that is hidden here is then not to be had, but for one it names already.
    """

    def __init__(self, *, editing: AutomationRule | None = None):
        self._editing = editing
        self._lists = {
            "store": "stores", "ship_from": "stores", "marketplace": "sources", "service_level": "levels",
            "tags": "tags", "tag": "tags", "untag": "tags", "assigned": "users", "assign": "users",
            "weekday": "weekdays", "hold_weekday": "weekdays", "source": "ways", "hold": "reasons",
            "carrier": "carriers", "confirmation": "confirmations", "own_status": "own_statuses",
        }  # fmt: skip

    def get(self, code: str, default=None):
        return getattr(self, self._lists[code]) if code in self._lists else default

    def list_of(self, code: str) -> str:
        """The name of the list behind a fact or an action, '' where it has none."""
        return self._lists.get(code, "")

    @property
    def all(self) -> dict[str, dict]:
        """Every list by its name."""
        return {name: getattr(self, name) for name in dict.fromkeys(self._lists.values())}

    @cached_property
    def stores(self) -> dict[int, str]:
        return dict(Store.objects.order_by("name").values_list("pk", "name"))

    @cached_property
    def tags(self) -> dict[int, str]:
        return dict(Tag.objects.order_by("name").values_list("pk", "name"))

    @cached_property
    def users(self) -> dict[int, str]:
        return dict(assigning.assignable().values_list("pk", "username"))

    @cached_property
    def own_statuses(self) -> dict[str, str]:
        names = MarketplaceStatus.objects.order_by("name").values_list("name", flat=True)
        return {name: name for name in names}

    @cached_property
    def sources(self) -> dict[str, str]:
        return {market.code: market.label for market in marketplaces.ALL}

    @cached_property
    def levels(self) -> dict[str, str]:
        return dict(Order.ServiceLevel.choices)

    @cached_property
    def weekdays(self) -> dict[str, str]:
        names = (
            _("Monday"), _("Tuesday"), _("Wednesday"), _("Thursday"), _("Friday"), _("Saturday"), _("Sunday"),
        )  # fmt: skip
        return dict(zip(WEEKDAYS, names, strict=True))

    @cached_property
    def ways(self) -> dict[str, str]:
        return dict(zip(SOURCES, (_("import"), _("file"), _("hand"), _("API client")), strict=True))

    @cached_property
    def reasons(self) -> dict[str, str]:
        return {code: _(text) for code, text in HOLD_REASONS.items()}

    @cached_property
    def carriers(self) -> dict[str, str]:
        """Found from the order's side, by its parcels, as they know the table."""
        parcels = Order._meta.get_field("shipments").related_model
        if self._editing is None:
            return dict(parcels.CARRIERS)
        offered = dict(parcels.carriers_offered())
        named = _carriers_of(self._editing)
        return {code: name for code, name in parcels.CARRIERS if code in offered or code in named}

    @cached_property
    def confirmations(self) -> dict[str, str]:
        names = (_("none"), _("proof of delivery"), _("signature"), _("signature of an adult"))
        return dict(zip(CONFIRMATIONS, names, strict=True))


def _carriers_of(rule: AutomationRule) -> set[str]:
    """The carriers a rule names; of one that makes no sense, those that can be read."""
    deeds = rule.actions if isinstance(rule.actions, list) else []
    told = [deed.get("value") for deed in deeds if isinstance(deed, dict) and deed.get("do") == "carrier"]
    return {code for code in told if isinstance(code, str)}
