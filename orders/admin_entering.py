"""Entering an order by hand, and correcting one: one page, which works without scripts and loses nothing typed."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables

from orderhub import clock
from orderhub.errors import RuleViolation
from orderhub.wording import amount
from orders import correcting, entering, latch, typed
from orders.csvfile import writing
from orders.forms_enter_page import LINES_SHOWN, MOST_LINES, EnterForm, LineFormSet
from orders.forms_entering import DATES, LINE, OWN, PERSON
from orders.models import Order, OrderEvent, OrderPersonalData
from privacy import access

MORE = "more"  # of the buttons that only show the page again
AMOUNTS = ("shipping_total", "unit_price", "tax", "discount")
PAGE = "admin:orders_order_change"


class EnteringDoors:
    """Part of the admin of orders."""

    def get_urls(self):
        view = self.admin_site.admin_view
        own = [
            path("enter/", view(self.enter_view), name="orders_order_enter"),
            path("<int:pk>/correct/", view(self.correct_view), name="orders_order_correct"),
        ]
        return own + super().get_urls()

    @method_decorator(sensitive_post_parameters())
    @sensitive_variables()
    def enter_view(self, request):
        if not request.user.has_perm("orders.add_order"):
            raise PermissionDenied
        if request.method not in {"GET", "HEAD", "POST"}:
            return HttpResponseNotAllowed(["GET", "POST"])
        form = EnterForm(request.POST or None, initial=_blank(request))
        lines = LineFormSet(_with_more(request), prefix="line")
        if request.method == "POST" and not request.POST.get("show") and _both_valid(form, lines):
            try:
                store = form.cleaned_data["store"]
                entry = form.entry(lines.filled(), store)
                kind = OrderEvent.Kind.ENTERED
                order = entering.enter(store, [entry], kind=kind, by=request.user, now=clock.now())[0]
            except RuleViolation as error:
                form.add_error("order_number" if isinstance(error, entering.NumberTaken) else None, str(error))
            else:
                self.log_addition(request, order, [{"added": {}}])
                text = _("Order %(number)s is entered.") % {"number": order.order_number}
                messages.success(request, text)
                return HttpResponseRedirect(reverse(PAGE, args=[order.pk]))
        return self._form(request, form, lines, title=_("New order"))

    @method_decorator(sensitive_post_parameters())
    @sensitive_variables()
    def correct_view(self, request, pk):
        order = get_object_or_404(self.get_queryset(request), pk=pk)
        if not correcting.may(request.user, order):
            raise PermissionDenied
        if request.method not in {"GET", "HEAD", "POST"}:
            return HttpResponseNotAllowed(["GET", "POST"])
        refusal = correcting.why_not(order) or _too_long(order)
        if refusal:
            if latch.is_shut(order) and any(request.POST.get(name) for name in PERSON):
                latch.record([order.pk], client=latch.ADMIN, by=request.user, now=clock.now())
            messages.error(request, refusal)
            return HttpResponseRedirect(reverse(PAGE, args=[pk]))
        form, lines = self._filled_in(request, order)
        if request.method == "POST" and not request.POST.get("show") and _both_valid(form, lines):
            try:
                entry = form.entry(lines.filled(), order.store)
                seen = form.cleaned_data["seen"] or 0
                correcting.correct(order, entry, as_seen=seen, by=request.user, now=clock.now())
            except RuleViolation as error:
                form.add_error("order_number" if isinstance(error, entering.NumberTaken) else None, str(error))
            else:
                self.log_change(request, order, [{"changed": {}}])
                text = _("Order %(number)s is corrected.") % {"number": order.order_number}
                messages.success(request, text)
                return HttpResponseRedirect(reverse(PAGE, args=[pk]))
        title = _("Correct order %(number)s") % {"number": order.order_number}
        return self._form(request, form, lines, title=title, order=order)

    @staticmethod
    @sensitive_variables()
    def _filled_in(request, order: Order) -> tuple[EnterForm, LineFormSet]:
        """The forms as the order is kept. Its person is shown, so the view is logged."""
        if request.method == "POST":
            form = EnterForm(request.POST, order=order)
            return form, LineFormSet(_with_more(request), prefix="line")
        person = getattr(order, "person", None) or OrderPersonalData(order=order)
        if person.holds_anything:
            access.log_view(request.user, order.pk, what="correction form")
        head = {name: getattr(order, name) for name in ("order_number", "status", *OWN)}
        head |= {name: value.astimezone(order.store.zone) for name, value in head.items() if name in DATES and value}
        head |= {name: getattr(person, name) for name in PERSON} | {"seen": correcting.seen(order)}
        rows = [
            {"item": item.pk}
            | {name: getattr(item, name) for name in LINE}
            | {"options": typed.options_text(item.options)}
            for item in order.items.all()
        ]
        return EnterForm(order=order, initial=_shown(head)), LineFormSet(initial=[*map(_shown, rows)], prefix="line")

    def _form(self, request, form, lines, *, title: str, order: Order | None = None):
        request.current_app = self.admin_site.name
        context = self.admin_site.each_context(request) | {
            "opts": self.opts, "title": title, "form": form, "lines": lines, "order": order, "most_lines": MOST_LINES,
            "totals": _totals(form, lines) if request.method == "POST" else [],
        }  # fmt: skip
        form.focus(lines)
        return TemplateResponse(request, "orders/enter.html", context)


def _blank(request) -> dict:
    """A new order's first values; the store where there is but one, or the one asked for."""
    chosen = request.GET.get("store", "")
    stores = list(entering.stores()[:2])
    return {"store": chosen if chosen.isdecimal() else stores[0].pk if len(stores) == 1 else None}


def _shown(values: dict) -> dict:
    """Values as the fields show them: amounts without the zeros of the column."""
    return {name: _amount(value) if name in AMOUNTS else value for name, value in values.items()}


def _amount(value) -> str:
    return "" if value is None else writing.cell(value, french=writing.is_french())


def _with_more(request):
    """What was typed of the lines; with more empty ones where they were asked for. None where nothing was posted."""
    if request.method != "POST":
        return None
    data = request.POST.copy()
    count = data.get("line-TOTAL_FORMS", "")
    count = int(count) if count.isascii() and count.isdigit() and len(count) < 4 else LINES_SHOWN
    if data.get("show") == MORE:
        count = min(count + LINES_SHOWN, MOST_LINES)
    data["line-TOTAL_FORMS"] = str(count)
    data["line-INITIAL_FORMS"] = "0"
    return data


def _both_valid(form: EnterForm, lines: LineFormSet) -> bool:
    return all([form.is_valid(), lines.is_valid()])  # both, so that all mistakes are shown at once


def _too_long(order: Order) -> str:
    if order.items.count() <= MOST_LINES:
        return ""
    told = _("Order %(number)s has more than %(most)d lines: this page cannot hold them.")
    return told % {"number": order.order_number, "most": MOST_LINES}


def _totals(form: EnterForm, lines: LineFormSet) -> list[tuple[str, str]]:
    """The sums of what was typed, as far as it can be read."""
    if not _both_valid(form, lines):
        return []
    try:
        sums = entering.totals(lines.filled(), form.cleaned_data["shipping_total"])
    except RuleViolation:
        return []
    label = Order._meta.get_field
    return [
        (label(name).verbose_name, amount(value, form.cleaned_data["currency"]))
        for name, value in sums.items()
        if value is not None
    ]
