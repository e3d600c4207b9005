"""The pages of erasure: how far behind it is, for those who may see that; preview, ledger and certificates for the
privacy officer. Everything here reads; what leaves as a file is on record."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from functools import wraps

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpResponseNotAllowed, HttpResponseRedirect, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _

from orderhub import clock
from orderhub.ledger import certificates, forecast, lag, preview, summary
from orders import oldorders
from privacy import access, audit, holds
from privacy.models import ErasureCertificate
from privacy.models.event import EventCode

LAG, LEDGER, PREVIEW = "admin:privacy_lag", "admin:privacy_ledger", "admin:privacy_preview"
ROWS = 50
MOST_DAYS = 366  # of a file of certificates


def urls(site) -> list:
    """Addresses of the admin site; each view asks for its rights."""
    pages = [
        ("erasure/", lag_view, "lag"), ("erasure/preview/", preview_view, "preview"),
        ("erasure/ledger/", ledger_view, "ledger"), ("erasure/ledger/csv/", csv_view, "certificates_csv"),
        ("erasure/certificate/<int:pk>/", certificate_view, "certificate"),
    ]  # fmt: skip
    return [
        path(f"privacy/{where}", site.admin_view(_bound(view, site)), name=f"privacy_{name}")
        for where, view, name in pages
    ]


def _bound(view: Callable, site) -> Callable:
    @wraps(view)
    def bound(request, **kwargs):
        return view(request, site, **kwargs)

    return bound


def is_officer(user) -> bool:
    """Membership of the role and its right: a superuser is no privacy officer by being one."""
    return user.has_perm("privacy.view_erasurecertificate") and access.has_role(user, access.PRIVACY)


def _officer_only(request) -> None:
    if not is_officer(request.user):
        raise PermissionDenied


def _page(request, site, template: str, title: str, **context):
    if request.method not in {"GET", "HEAD"}:
        return HttpResponseNotAllowed(["GET", "HEAD"])
    officer = is_officer(request.user)
    context |= site.each_context(request) | {"title": title, "officer": officer, "tabs": _tabs(request, officer)}
    return TemplateResponse(request, f"privacy/{template}.html", context)


def _tabs(request, officer: bool) -> list[dict]:
    names = [(LAG, _("Is it in time?"))]
    if officer:
        names += [
            (PREVIEW, _("What would be erased")), (LEDGER, _("Ledger")),
            ("admin:privacy_erasurecertificate_changelist", _("Certificates")),
        ]  # fmt: skip
    return [{"url": reverse(name), "name": word, "current": request.path == reverse(name)} for name, word in names]


# -- pages


def lag_view(request, site):
    """For everybody who may see how far behind it is: counts and instants."""
    if not request.user.has_perm("privacy.view_lag"):
        raise PermissionDenied
    now = clock.now()
    days = forecast.due_by_day(now=now)
    found = lag.read(now=now)
    return _page(
        request, site, "lag", _("Erasure"), now=now, lag=found, level=found.level(now=now),
        late=now - found.oldest if found.oldest else None, days=days, bars=forecast.bars(days),
    )  # fmt: skip


def preview_view(request, site):
    """`until`: a day of at most sixty days from now; `what`: orders or labels; `p`: the page."""
    _officer_only(request)
    now = clock.now()
    today = now.astimezone(UTC).date()
    last, usual = today + timedelta(days=preview.MOST_DAYS), today + timedelta(days=preview.USUAL_DAYS)
    asked = request.GET.get("until", "")
    day = _day(asked)
    wrong = bool(asked) and (day is None or not today <= day <= last)
    day = usual if day is None or wrong else day
    labels = request.GET.get("what") == "labels"
    until = preview.end_of(day)
    rows = preview.labels(until).select_related("shipment__order__store") if labels else preview.orders(until)
    if not labels:
        rows = rows.select_related("store")
    counts = preview.by_rule(until)
    pages = Paginator(rows, ROWS)
    pages.count = sum(count.labels if labels else count.orders for count in counts)
    return _page(
        request, site, "preview", _("What would be erased"), now=now, day=day, first=today, last=last, wrong=wrong,
        labels=labels, counts=counts, found=pages.get_page(request.GET.get("p")),
        orders_count=sum(count.orders for count in counts), labels_count=sum(count.labels for count in counts),
    )  # fmt: skip


def ledger_view(request, site):
    """`days`: how far back."""
    _officer_only(request)
    now = clock.now()
    asked = request.GET.get("days", "")
    days = int(asked) if asked in {str(number) for number in summary.PERIODS} else summary.PERIODS[1]
    today = now.astimezone(UTC).date()
    return _page(
        request, site, "ledger", _("Ledger of erasures"), now=now, days=days, periods=summary.PERIODS,
        summary=summary.read(since=now - timedelta(days=days)), troubles=summary.troubles(), shown=summary.SHOWN,
        old=oldorders.standing(now), months=holds.months(), chain=summary.chain(), scan=summary.scan(), first=today - timedelta(days=days), today=today,
    )  # fmt: skip


def certificate_view(request, site, pk):
    """One certificate, to be read or printed."""
    _officer_only(request)
    row = get_object_or_404(ErasureCertificate, pk=pk)
    title = _("Certificate of erasure no. %(number)d") % {"number": row.pk}
    return _page(request, site, "certificate", title, now=clock.now(), sheet=certificates.sheet(row))


def csv_view(request, site):
    """Certificates of a period. Only a POST exports: what leaves is on record."""
    _officer_only(request)
    back = HttpResponseRedirect(reverse(LEDGER))
    if request.method in {"GET", "HEAD"}:
        return back
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    first, last = _day(request.POST.get("first", "")), _day(request.POST.get("last", ""))
    if first is None or last is None or not timedelta(0) <= last - first <= timedelta(days=MOST_DAYS):
        told = _("Choose a first and a last day, a year apart at most.")
        messages.error(request, told)
        return back
    rows = certificates.between(_midnight(first), _midnight(last) + timedelta(days=1))
    audit.record(EventCode.EXPORTED, request=request, kind="certificate", reason=f"certificates {rows.count()}")
    headers = {"Content-Disposition": f'attachment; filename="certificates-{first}-{last}.csv"'}
    return StreamingHttpResponse(certificates.as_csv(rows), content_type="text/csv; charset=utf-8", headers=headers)


def _day(text: str) -> date | None:
    try:
        found = parse_date(text)
    except ValueError:  # the right form, and no such day
        return None
    return found if found and 2000 <= found.year <= 2200 else None


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(0), UTC)
