"""What is done to many orders of the list at once: what is asked first, and what became of each row."""

from collections.abc import Callable
from functools import partial

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from orderhub import clock
from orderhub.errors import RuleViolation
from orderhub.wording import about
from orders import assigning, deciding, holding, own_status, tagging
from orders.admin_work import person_of
from orders.models import Order, Tag

MOST = 500
TOLD_IN_MESSAGES = 20  # rows; more are told on a page of their own


class DayInput(forms.DateInput):
    input_type = "date"


class ClockInput(forms.TimeInput):
    input_type = "time"


class HoldForm(forms.Form):
    reason = forms.ChoiceField(label=_("Reason"))
    until_day = forms.DateField(label=_("Until the day"), required=False, input_formats=["%Y-%m-%d"], widget=DayInput)
    until_time = forms.TimeField(
        label=_("at the time"), required=False, input_formats=["%H:%M", "%H:%M:%S"], widget=ClockInput,
        help_text=_("In the time zone of each order's store. Without a day, somebody must release them."),
    )  # fmt: skip

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["reason"].choices = [(code, _now(text)) for code, text in deciding.HOLD_REASONS.items()]

    def clean(self):
        found = super().clean()
        if found.get("until_time") and not found.get("until_day") and "until_day" not in self.errors:
            self.add_error("until_day", _now("Give the day as well: a time alone does not say when the hold ends."))
        return found

    def words(self) -> dict[str, str]:
        """Day and time as orders.holding reads them."""
        day, hour = self.cleaned_data["until_day"], self.cleaned_data["until_time"]
        return {"day": day.isoformat() if day else "", "hour": hour.isoformat("minutes") if hour else ""}


class TagsForm(forms.Form):
    put_on = forms.ModelMultipleChoiceField(
        Tag.objects.all(), label=_("Put on"), required=False, widget=forms.CheckboxSelectMultiple
    )
    take_off = forms.ModelMultipleChoiceField(
        Tag.objects.all(), label=_("Take off"), required=False, widget=forms.CheckboxSelectMultiple
    )

    def clean(self):
        found = super().clean()
        if not found.get("put_on") and not found.get("take_off"):
            raise forms.ValidationError(_now("Tick at least one tag."))
        return found


class AssignForm(forms.Form):
    user = forms.ChoiceField(label=_("Assign to"), required=False)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        people = [(str(person.pk), person.get_username()) for person in assigning.assignable()]
        self.fields["user"].choices = [("", _now("nobody")), *people]


class OwnStatusForm(forms.Form):
    own = forms.ChoiceField(
        label=_("Own status"), required=False,
        help_text=_("Names are made on each store's page, under “Statuses”. Only those that mean what an order's status is now can be set."),
    )  # fmt: skip

    def __init__(self, *args, orders, **kwargs):
        super().__init__(*args, **kwargs)
        names = own_status.names_for(orders)
        self.fields["own"].choices = [("", _now("none")), *((name, name) for name in names)]


class BulkDoors:
    """Actions of the list. Each takes at most MOST orders and says what came of every one."""

    @admin.action(description=_("Put on hold, to be checked"), permissions=["hold"])
    def hold(self, request, rows):
        return self._each(request, rows, partial(_hold, reason="check"), _now("Put on hold: %(numbers)s"))

    @admin.action(description=_("Put on hold until…"), permissions=["hold"])
    def hold_until(self, request, rows):
        def deed(form, orders):
            hold = partial(_hold, reason=form.cleaned_data["reason"], **form.words())
            return self._each(request, orders, hold, _now("Put on hold: %(numbers)s"))

        return self._ask(request, rows, "hold_until", HoldForm, deed, _now("Put on hold"))

    @admin.action(description=_("Release from hold"), permissions=["hold"])
    def release(self, request, rows):
        return self._each(request, rows, deciding.release, _now("Released: %(numbers)s"))

    @admin.action(description=_("Tags…"), permissions=["decide"])
    def change_tags(self, request, rows):
        def deed(form, orders):
            ids, who = [order.pk for order in orders], {"by": request.user, "now": clock.now()}
            changed = tagging.put_on(ids, form.cleaned_data["put_on"], **who)
            changed += tagging.take_off(ids, form.cleaned_data["take_off"], **who)
            self.message_user(
                request,
                ngettext("%(count)d change of tags.", "%(count)d changes of tags.", changed) % {"count": changed},
            )

        return self._ask(request, rows, "change_tags", TagsForm, deed, _now("Tags"))

    @admin.action(description=_("Assign to me"), permissions=["decide"])
    def assign_to_me(self, request, rows):
        orders = self._chosen(request, rows)
        if orders:
            self._assign(request, orders, request.user)

    @admin.action(description=_("Assign to…"), permissions=["decide"])
    def assign(self, request, rows):
        def deed(form, orders):
            self._assign(request, orders, person_of(form.cleaned_data["user"], request.user))

        return self._ask(request, rows, "assign", AssignForm, deed, _now("Assign"))

    @admin.action(description=_("Own status…"), permissions=["decide"])
    def set_own_status(self, request, rows):
        def deed(form, orders):
            name = form.cleaned_data["own"]
            return self._each(
                request, orders, lambda order, **who: own_status.wear(order, name, **who),
                _now("Own status set: %(numbers)s"),
            )  # fmt: skip

        return self._ask(request, rows, "set_own_status", OwnStatusForm, deed, _now("Own status"), of_orders=True)

    # -- what they share

    def _chosen(self, request, rows) -> list[Order]:
        """The chosen orders; none, with a sentence, where they are too many."""
        orders = list(rows[: MOST + 1])
        if len(orders) > MOST:
            self.message_user(
                request, _now("Choose at most %(count)d orders at once.") % {"count": MOST}, messages.ERROR
            )
            return []
        return orders

    def _ask(self, request, rows, action: str, form_class, deed: Callable, title: str, *, of_orders: bool = False):
        """A page that asks what the action needs; the same action comes back with the answer."""
        orders = self._chosen(request, rows)
        if not orders:
            return None
        given = {"orders": orders} if of_orders else {}
        form = form_class(request.POST if "answered" in request.POST else None, **given)
        if form.is_valid():
            return deed(form, orders)
        context = self.admin_site.each_context(request) | {
            "title": title, "opts": self.opts, "orders": orders, "form": form, "action": action,
            "selected_name": ACTION_CHECKBOX_NAME, "back": request.get_full_path(),
        }  # fmt: skip
        return TemplateResponse(request, "orders/bulk_choice.html", context)

    def _assign(self, request, orders: list[Order], user) -> None:
        try:
            changed = assigning.assign([order.pk for order in orders], user, by=request.user, now=clock.now())
        except RuleViolation as error:
            self.message_user(request, str(error), messages.ERROR)
            return
        told = ngettext("%(count)d order assigned to %(user)s.", "%(count)d orders assigned to %(user)s.", changed)
        name = user.get_username() if user else _now("nobody")
        self.message_user(request, told % {"count": changed, "user": name}, messages.SUCCESS)

    def _each(self, request, rows, deed: Callable, told: str):
        """One deed on every row: what was done in one message, what was refused with its sentence by row.

        Many rows are told on a page of their own, one line each.
        """
        orders = rows if isinstance(rows, list) else self._chosen(request, rows)
        results = [(order, _refusal(order, deed, by=request.user)) for order in orders]
        if len(results) > TOLD_IN_MESSAGES:
            return self._result_page(request, results)
        for order, refusal in results:
            if refusal:
                self.message_user(request, about(order.order_number, refusal), messages.ERROR)
        done = [order.order_number for order, refusal in results if not refusal]
        if done:
            self.message_user(request, told % {"numbers": ", ".join(done)}, messages.SUCCESS)
        return None

    def _result_page(self, request, results: list[tuple[Order, str]]):
        refused = sum(bool(refusal) for _order, refusal in results)
        context = self.admin_site.each_context(request) | {
            "title": _now("What came of it"), "opts": self.opts, "back": request.get_full_path(),
            "results": sorted(results, key=lambda row: not row[1]), "done": len(results) - refused, "refused": refused,
        }  # fmt: skip
        return TemplateResponse(request, "orders/bulk_result.html", context)


def _refusal(order: Order, deed: Callable, *, by) -> str:
    """Do it to one order; why it was refused, or ''."""
    try:
        deed(order, by=by, now=clock.now())
    except RuleViolation as error:
        return str(error)
    return ""


def _hold(order: Order, *, reason: str, day: str = "", hour: str = "", by, now) -> None:
    deciding.hold(order, reason, until=holding.until(order.store, day, hour), by=by, now=now)
