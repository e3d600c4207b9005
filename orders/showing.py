"""What the page of one order shows: a constant number of queries, and the view of personal data is logged."""

from collections.abc import Iterable, Mapping

from django.db.models import Count
from django.utils.html import format_html
from django.utils.translation import gettext as _

from orderhub import clock
from orderhub.wording import amount, badge, short_day_and_time
from orders import (
    assigning,
    clockwords,
    correcting,
    customers_showing,
    deadlines,
    deciding,
    desk,
    goods,
    own_status,
    persons,
    privacyclock,
    rules_showing,
    stock,
    timeline,
)
from orders.csvfile import people
from orders.customization import panel
from orders.models import Order, OrderItem
from privacy import access, masks, requests
from privacy.models import ErasureCertificate
from stores import statusmap

Status = Order.Status
LEVELS = {Status.AWAITING_SHIPMENT: "info", Status.ON_HOLD: "warn", Status.SHIPPED: "ok"}


def badges(order: Order, lines: Iterable[OrderItem] | None = None) -> list:
    """The status, and what is special about the order. `lines`: its lines, where they are not prefetched on it."""
    word = order.get_status_display() + (f" ({order.custom_status})" if order.custom_status else "")
    found = [badge(word, LEVELS.get(order.status, "muted"))]
    if own := own_status.label(order):
        found.append(badge(own, LEVELS.get(order.status, "muted")))
    if order.hold_until:
        found.append(badge(_("until %(instant)s") % {"instant": _until(order)}, "warn"))
    if order.is_open and _partly_shipped(order.items.all() if lines is None else lines):
        found.append(badge(_("partly shipped"), "warn"))
    if order.alert:
        found.append(badge(_("alert"), "bad"))
    if order.is_short:
        found.append(badge(_("short of stock"), "warn"))
    if order.cancel_requested_at and order.is_open:
        found.append(badge(_("buyer asks to cancel"), "bad"))
    for holds, name in (
        (order.by_amazon, "FBA"), (order.is_prime, "Prime"), (order.is_business, _("business")), (order.is_gift, _("gift")),
    ):  # fmt: skip
        if holds:
            found.append(badge(name))
    return found


def _partly_shipped(lines: Iterable[OrderItem]) -> bool:
    return any(line.quantity_shipped for line in lines)


def _until(order: Order) -> str:
    """The end of a hold in its store's own zone: the one in which people type it."""
    return short_day_and_time(order.hold_until.astimezone(order.store.zone))


def tags_of(order: Order) -> list:
    """A badge for each of its tags; no query where they are prefetched."""
    return [badge(tag.name, tag.level) for tag in order.tags.all()]


def worker_of(order: Order) -> str:
    """Whose work it is, for the list; '' where it is nobody's."""
    worker = assigning.worker(order)
    return format_html('<br><span class="oh-quiet">→ {}</span>', worker.get_username()) if worker else ""


def page(
    user,
    order: Order,
    *,
    typed: Mapping[str, str] | None = None,
    wrong: Mapping[str, str] | None = None,
    note: dict[str, str] | None = None,
    reason: str = "",
) -> dict:
    """The context of the page. `typed`, `wrong`: an address in Roman characters that was refused, and why, by twin.

    `note`: the text of a note that was refused, and the error. `reason`: see persons.panel_for.
    """
    now = clock.now()
    items = goods.lines_of(order)
    stock.mark_short([order])
    panel.attach(user, order, items)
    notices = list(order.notifications.select_related("shipment", "done_by"))
    shipments = list(order.shipments.annotate(mailed=Count("mails")).prefetch_related("labels"))
    waits_for_cancellation = deciding.held_for_cancellation(order)
    roman = persons.roman_for(user, order, typed=typed, wrong=wrong)
    return {
        "order": order,
        "badges": badges(order, items),
        "deadline": deadlines.of(order, now=now),
        "lines": items,
        "service_level": dict(Order.ServiceLevel.choices).get(order.service_level, order.service_level),
        "totals": _totals(order),
        **_privacy(user, order, reason=reason),
        "roman": roman,
        "entered": correcting.panel_for(user, order),
        "clock": clockwords.panel(order, privacyclock.of(order, shipments, items, now=now), now=now),
        "events": timeline.entries(order),
        "shipments": [shipment for shipment in shipments if not shipment.is_return],
        "returns": [shipment for shipment in shipments if shipment.is_return],
        "notices": notices,
        "may_quote": _may_quote(user, order, notices),
        "refusal": order.why_not_shippable(),
        "asks_to_cancel": bool(order.cancel_requested_at) and order.is_open and not waits_for_cancellation,
        "waits_for_cancellation": waits_for_cancellation,
        "waits_for_address": roman.needed and deciding.held_for_address(order),
        "may_decide": user.has_perm("orders.change_order"),
        "may_hold": user.has_perm("orders.hold_order"),
        "may_fetch": user.has_perm("orders.fetch_order") and order.store.account_id is not None,
        "hold_reasons": [
            (code, _(text))
            for code, text in deciding.HOLD_REASONS.items()
            if roman.needed or text != deciding.ADDRESS_HOLD
        ],
        "customer": customers_showing.link_of(user, order),
        "hold_reason": _(order.hold_reason) if order.hold_reason else "",
        "status_is_mapped": _is_mapped(order),
        "alert": _(order.alert) if order.alert else "",
        "rules": rules_showing.panel_for(user, order),
        "hold_until": order.hold_until and order.hold_until.astimezone(order.store.zone),
        **desk.context(user, order, note),
        **goods.context(user, order, items),
    }


def _privacy(user, order: Order, *, reason: str) -> dict:
    """Who is shown to whom, and the proofs of what was erased."""
    return {
        "person": persons.panel_for(user, order, reason=reason),
        "reveal_reasons": masks.Reason.choices,
        "revealed_for": str(masks.Reason(reason).label) if reason else "",
        "may_open_labels": access.may_open_labels(user),
        "certificates": _certificates(user, order),
        "may_ask_erasure": requests.may_ask(user) and not order.masked and not order.by_amazon,
        "may_export_person": people.may(user),
    }


def _may_quote(user, order: Order, notices: list) -> bool:
    """Whether Amazon's own words about a notice are shown: they may repeat an address, so they count as one."""
    if not any(notice.error_text for notice in notices):
        return False
    person = getattr(order, "person", None)
    erased = order.masked or bool(person and person.marker)
    if erased or not access.may_see_person(user, order_open=order.is_open):
        return False
    if not (person and person.holds_anything):  # else the panel of the person has logged this view
        access.log_view(user, order.pk, what="order page")
    return True


def _certificates(user, order: Order) -> list[ErasureCertificate]:
    """What was erased of it, for those who read certificates; no query for anybody else."""
    if not user.has_perm("privacy.view_erasurecertificate") or not access.has_role(user, access.PRIVACY):
        return []
    return list(ErasureCertificate.objects.filter(order_id=order.pk).order_by("done_at", "pk"))


def _totals(order: Order) -> list[tuple[str, str]]:
    names = ("item_total", "shipping_total", "gift_wrap_total", "discount_total", "tax_total", "order_total")
    return [
        (Order._meta.get_field(name).verbose_name, amount(getattr(order, name), order.currency))
        for name in names
        if getattr(order, name) is not None
    ]


def _is_mapped(order: Order) -> bool:
    """Whether the store gave the marketplace's own status a meaning; asked only for orders that wait because of one."""
    waits = order.status == Order.Status.ON_HOLD and order.custom_status
    return bool(waits) and statusmap.key(order.custom_status) in statusmap.as_map(order.store)
