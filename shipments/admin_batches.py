"""Doors to batches of labels: made from the list of orders, prepared and started on their page, printed from there."""

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from orderhub import clock
from orderhub.doors import post_only
from orderhub.errors import RuleViolation
from orderhub.jobs import enqueue
from orderhub.lists import ColumnFilter, ReadOnlyAdmin
from orderhub.wording import badge, stacked_utc
from orders.admin import OrderAdmin
from orders.models import Order
from privacy import access
from shipments import (
    batchchecking,
    batching,
    batchprices,
    batchrows,
    batchshowing,
    batchtyping,
    merging,
    picking,
    slips,
)
from shipments.admin_picking import pdf_answer, pick_pdf
from shipments.forms_batch import PASTE, CommonForm, read_rows
from shipments.jobs import run_batch
from shipments.models import LabelBatch
from shipments.models.batch import BatchState, RowState

PAGE = "admin:shipments_labelbatch_change"
REFRESH_S = 3
PROBLEMS_SHOWN = 20


@admin.action(description=_("Batch of labels…"), permissions=["ship"])
def batch_labels(order_admin, request, rows):
    """Keep the chosen orders as a draft: their ids are in no address."""
    if not request.user.has_perm("shipments.add_labelbatch"):
        raise PermissionDenied
    ids = list(rows.values_list("pk", flat=True)[: batching.MOST + 1])
    try:
        batch = batching.create(ids, by=request.user, now=clock.now())
    except RuleViolation as error:
        order_admin.message_user(request, str(error), messages.ERROR)
        return None
    return HttpResponseRedirect(reverse(PAGE, args=[batch.pk]))


OrderAdmin.offer(batch_labels, after="ship")


class BatchStateFilter(ColumnFilter):
    title, parameter_name, codes = _("state"), "state", BatchState


@admin.register(LabelBatch)
class LabelBatchAdmin(ReadOnlyAdmin):
    change_list_template = "shipments/batch_list.html"
    list_display = ["number", "state_words", "orders", "made", "failed", "carrier_words", "created", "who"]
    list_display_links = None
    list_select_related = ["created_by"]
    list_filter = [BatchStateFilter]
    ordering = ["-pk"]

    def get_queryset(self, request):
        return super().get_queryset(request).annotate(**batchshowing.counts("rows__"))

    @admin.display(description=_("batch"), ordering="pk")
    def number(self, batch):
        return format_html('<a class="oh-number" href="{}">{}</a>', reverse(PAGE, args=[batch.pk]), batch)

    @admin.display(description=_("state"), ordering="state")
    def state_words(self, batch):
        return badge(batch.get_state_display(), batchshowing.STATE_TONE[batch.state])

    @admin.display(description=_("orders"))
    def orders(self, batch):
        return batch.total

    @admin.display(description=_("labels made"))
    def made(self, batch):
        return batch.done

    @admin.display(description=_("not made"))
    def failed(self, batch):
        return badge(batch.failed, "bad") if batch.failed else "0"

    @admin.display(description=_("carrier"))
    def carrier_words(self, batch):
        if batch.buys:
            return "Amazon Buy Shipping"
        return ", ".join(filter(None, [batchshowing.carrier_name(batch), batch.service])) or "–"

    @admin.display(description=_("created at"), ordering="created_at")
    def created(self, batch):
        return stacked_utc(batch.created_at)

    @admin.display(description=_("created by"))
    def who(self, batch):
        return batch.created_by.get_username() if batch.created_by else "–"

    def get_urls(self):
        def own(address, view, name):
            return path(f"<int:pk>/{address}/", self.admin_site.admin_view(view), name=f"shipments_batch_{name}")

        ours = [
            own("save", self.save_view, "save"), own("labels", self.labels_view, "labels"),
            own("slips", self.slips_view, "slips"), own("pick", self.pick_view, "pick"),
        ]  # fmt: skip
        return ours + super().get_urls()

    # -- the page

    def change_view(self, request, object_id, form_url="", extra_context=None):
        """Reads only; while labels are being made it loads itself anew."""
        if request.method not in {"GET", "HEAD"}:
            return HttpResponseNotAllowed(["GET", "HEAD"])
        batch = self.get_object(request, unquote(object_id))
        if batch is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        if not self.has_view_permission(request, batch):
            raise PermissionDenied
        answer = self._page(request, batch)
        if batch.is_busy:
            answer.headers["Refresh"] = str(REFRESH_S)
        return answer

    def _page(self, request, batch, *, form=None, typed=None, raw=None, problems=()):
        """`form`, `typed`, `raw`, `problems`: what was sent and could not be taken."""
        asked = request.POST if request.method == "POST" else request.GET
        now, may = clock.now(), request.user.has_perm("shipments.add_labelbatch")
        failed_only, show = asked.get("show") == "failed", asked.get("show", "")
        context = self.admin_site.each_context(request) | {
            "title": _now("Batch of labels %(number)s") % {"number": batch}, "opts": self.opts, "batch": batch,
            "tone": batchshowing.STATE_TONE[batch.state], "tally": batchshowing.tally(batch), "may_change": may,
            "carrier": batchshowing.carrier_name(batch), "show": show, "page": asked.get("p", ""), "prints": self._prints(request, batch),
            "problems": problems[:PROBLEMS_SHOWN], "more_problems": max(0, len(problems) - PROBLEMS_SHOWN),
            "paste": "\n".join(typed.left) if typed else "", "stores": batchshowing.stores(batch),
        }  # fmt: skip
        tally = context["tally"]
        context["parts"] = batchshowing.parts(tally.done or tally.total, size=merging.MOST_SLIPS)
        if batch.state == BatchState.DRAFT or (batch.state == BatchState.DONE and tally.failed):
            page = asked.get("p", "") if batch.state == BatchState.DRAFT or failed_only else ""
            context |= batchshowing.editor(batch, now=now, page=page, problems_only=show == "problems", raw=raw)
        if batch.state == BatchState.DRAFT:
            context["form"] = form or CommonForm(instance=batch, today=now.date())
        elif batch.state == BatchState.PRICING:
            context["asked"] = batchshowing.asked(batch)
        else:
            context["notices"] = batchshowing.notices(batch)
            context["spent"] = batchshowing.spent(batch) if batch.buys else ""
            if batch.state == BatchState.RUNNING or not failed_only:
                context["results"] = batchshowing.results(batch, page=asked.get("p", ""), failed_only=failed_only)
        return TemplateResponse(request, f"shipments/batch_{batch.state}.html", context)

    def _prints(self, request, batch) -> dict[str, bool]:
        """What this person may print of it now."""
        made = batch.started_at is not None
        return {
            "labels": made and access.may_open_labels(request.user),
            "slips": slips.may_print_some(request.user) and access.may_see_person(request.user, order_open=not made),
            "pick": request.user.has_perm("orders.view_order"),
        }

    # -- what is typed and started

    @post_only(PAGE)
    def save_view(self, request, pk):
        """Keep what was typed; then do what the pressed button says: check, start, remove rows, discard."""
        if not request.user.has_perm("shipments.add_labelbatch"):
            raise PermissionDenied
        batch = get_object_or_404(LabelBatch, pk=pk)
        try:
            return self._keep(request, batch)
        except RuleViolation as error:
            self.message_user(request, str(error), messages.ERROR)
        return HttpResponseRedirect(reverse(PAGE, args=[pk]))

    def _keep(self, request, batch):
        if request.POST.get("go") == "discard":
            return self._discard(request, batch)
        if request.POST.get("go") == "stop":
            return self._stop(request, batch)
        now, is_draft = clock.now(), batch.state == BatchState.DRAFT
        rows = list(batchrows.open_rows(batch).select_related("order"))
        own = read_rows(request.POST, rows)
        places = [batchtyping.Place(row.pk, row.order.order_number) for row in rows]
        typed = batchtyping.read(request.POST.get(PASTE, ""), places)
        blank = LabelBatch(pk=batch.pk, provider=batch.provider)
        form = CommonForm(request.POST, instance=blank, today=now.date()) if is_draft else None
        common = form.changes() if form and form.is_valid() else {}
        changes = {
            found: own.changes.get(found, {}) | typed.changes.get(found, {}) for found in {*own.changes, *typed.changes}
        }
        batching.save(batch, common=common, rows=changes)
        problems = [*typed.problems, *own.problems]
        if problems or (form and not form.is_valid()):
            return self._page(request, batch, form=form, typed=typed, raw=own.raw, problems=problems)
        return self._go(request, batch, rows=rows, pasted=bool(typed.changes))

    def _go(self, request, batch, *, rows, pasted: bool):
        go, now = request.POST.get("go", ""), clock.now()
        if remove := request.POST.get("remove", ""):
            batching.remove(batch, [row.pk for row in rows if str(row.pk) == remove])
        elif go == "unfit":
            unfit = [found.row.pk for found in batchchecking.check(batch, now=now).unfit]
            count = batching.remove(batch, unfit)
            told = ngettext("%(count)d order was taken out.", "%(count)d orders were taken out.", count)
            self.message_user(request, told % {"count": count}, messages.SUCCESS)
        elif go == "prices":
            batchprices.ask(batch, now=now)
            enqueue(run_batch, batch.pk)
            return HttpResponseRedirect(reverse(PAGE, args=[batch.pk]))
        elif go == "start" and not pasted:  # what was pasted is shown and checked first
            batching.start(batch, seen=request.POST.get("seen", ""), now=now)
            self.log_change(request, batch, [{"changed": {"fields": ["state"]}}])
            enqueue(run_batch, batch.pk)
            return HttpResponseRedirect(reverse(PAGE, args=[batch.pk]))
        return self._back(request, batch)

    def _stop(self, request, batch):
        """Ask for no more prices, or make no more labels; what was made stays."""
        batchprices.stop(batch)
        if batching.stop(batch):
            self.log_change(request, batch, [{"changed": {"fields": ["state"]}}])
        enqueue(run_batch, batch.pk)  # a run that waits ends now
        return HttpResponseRedirect(reverse(PAGE, args=[batch.pk]))

    def _discard(self, request, batch):
        number = str(batch)
        batching.discard(batch)
        self.message_user(request, _now("Batch %(number)s was discarded: no label was made.") % {"number": number})
        return HttpResponseRedirect(reverse("admin:shipments_labelbatch_changelist"))

    def _back(self, request, batch):
        """To the part of the page it was sent from."""
        show, page = request.POST.get("show", ""), request.POST.get("p", "")
        wanted = [f"show={show}"] if show in {"problems", "failed"} else []
        wanted += [f"p={page}"] if page.isascii() and page.isdigit() and len(page) < 6 else []
        query = f"?{'&'.join(wanted)}" if wanted else ""
        return HttpResponseRedirect(reverse(PAGE, args=[batch.pk]) + query)

    # -- what is printed

    def _to_print(self, request, pk, allowed: str):
        if not access.granted(request.user, allowed) or not self.has_view_permission(request):
            raise PermissionDenied
        return get_object_or_404(LabelBatch, pk=pk)

    def labels_view(self, request, pk):
        """All labels in one PDF, in the order of the rows; each opening is logged."""
        if request.method not in {"GET", "HEAD"}:
            return HttpResponseNotAllowed(["GET", "HEAD"])
        batch = self._to_print(request, pk, "shipments.view_label")
        labels = list(merging.of_batch(batch))
        if not labels:
            return self._nothing(request, batch)
        content = merging.labels_pdf(labels, by=request.user, now=clock.now(), paper=batch.paper)
        return pdf_answer(content, name=f"labels-batch-{pk}")

    def slips_view(self, request, pk):
        """Packing slips in the order of the rows, as many at once as one document takes; each is logged."""
        if request.method not in {"GET", "HEAD"}:
            return HttpResponseNotAllowed(["GET", "HEAD"])
        batch = self._to_print(request, pk, "orders.view_order")
        if not self._prints(request, batch)["slips"]:
            raise PermissionDenied
        state = RowState.WAITING if batch.started_at is None else RowState.DONE
        orders = Order.objects.filter(batch_rows__batch=batch, batch_rows__state=state).order_by("batch_rows__position")
        part = Paginator(orders, merging.MOST_SLIPS).get_page(request.GET.get("part"))
        if not part.object_list:
            return self._nothing(request, batch)
        content = merging.slips_pdf(part.object_list, by=request.user, now=clock.now())
        return pdf_answer(content, name=f"packing-slips-batch-{pk}-{part.number}")

    def pick_view(self, request, pk):
        """What to fetch for it from the shelves, as PDF."""
        if request.method not in {"GET", "HEAD"}:
            return HttpResponseNotAllowed(["GET", "HEAD"])
        batch = self._to_print(request, pk, "orders.view_order")
        return pick_pdf(picking.batch_list(batch), name=f"pick-list-batch-{pk}")

    def _nothing(self, request, batch):
        self.message_user(request, _now("There is nothing to print in this batch."), messages.WARNING)
        return HttpResponseRedirect(reverse(PAGE, args=[batch.pk]))
