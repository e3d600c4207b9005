"""Orders from a file and into a file. Nothing of a file is kept: what was previewed comes back with the confirmation."""

import base64
import binascii
from collections.abc import Callable

from django import forms
from django.contrib import messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.http import HttpResponseNotAllowed, HttpResponseRedirect, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables

from orderhub import clock
from orderhub.errors import RuleViolation
from orders import entering
from orders.csvfile import columns, importing, reading, writing
from orders.forms_enter_page import StoreField
from stores.models import Store

LIST = "admin:orders_order_changelist"
UPLOAD = "admin:orders_order_csv"
AROUND = 64 * 1024  # bytes of a request besides the file
DRAINED = 16 * 1024 * 1024  # bytes that are read and dropped, so that the browser hears the answer
SHOWN = 50


def measured(view: Callable, too_large: Callable) -> Callable:
    """Look at a request's announced size before anything reads it: a file of a gigabyte is neither parsed nor stored.

    The token against forged requests is checked afterwards, as it stands in the body.
    """
    protected = csrf_protect(view)

    @csrf_exempt
    def guarded(request, *args, **kwargs):
        length = request.META.get("CONTENT_LENGTH") or "0"
        if not length.isdecimal() or int(length) > reading.MOST_BYTES + AROUND:
            for _piece in range(DRAINED // AROUND):
                if not request.read(AROUND):
                    break
            return too_large(request)
        return protected(request, *args, **kwargs)

    return guarded


class UploadForm(forms.Form):
    store = StoreField(
        Store.objects.none(),
        label=gettext_lazy("store"),
        error_messages={"required": gettext_lazy("Choose the store.")},
    )
    file = forms.FileField(
        label=gettext_lazy("file"), allow_empty_file=True,
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,text/csv"}),
        help_text=gettext_lazy("CSV, up to 2 MB and 2,000 rows."),
        error_messages={"required": gettext_lazy("Choose the file."), "invalid": gettext_lazy("Choose the file.")},
    )  # fmt: skip

    def __init__(self, *args, **given):
        super().__init__(*args, **given)
        self.fields["store"].queryset = entering.stores()


class FileDoors:
    """Part of the admin of orders."""

    def get_urls(self):
        view = self.admin_site.admin_view
        own = [
            path("file/", view(measured(self.upload_view, self.too_large_view)), name="orders_order_csv"),
            path("file/confirm/", view(self.confirm_view), name="orders_order_csv_confirm"),
            path("export/", view(self.export_view), name="orders_order_export"),
        ]
        return own + super().get_urls()

    @staticmethod
    def _may_add(request) -> None:
        if not request.user.has_perm("orders.add_order"):
            raise PermissionDenied

    def too_large_view(self, request):
        self._may_add(request)
        messages.error(request, reading.too_large())
        return HttpResponseRedirect(reverse(UPLOAD))

    @method_decorator(sensitive_post_parameters())
    @sensitive_variables()
    def upload_view(self, request):
        """The form; or, with a file, what it would do."""
        self._may_add(request)
        if request.method not in {"GET", "HEAD", "POST"}:
            return HttpResponseNotAllowed(["GET", "POST"])
        chosen = request.GET.get("store", "")
        initial = {"store": chosen if chosen.isdecimal() else None}
        posted = (request.POST, request.FILES) if request.method == "POST" else ()
        form = UploadForm(*posted, initial=initial)
        if form.is_valid():
            content = form.cleaned_data["file"].read(reading.MOST_BYTES + 1)
            return self._preview(request, form.cleaned_data["store"], content)
        return self._upload(request, form)

    @method_decorator(sensitive_post_parameters())
    @sensitive_variables()
    def confirm_view(self, request):
        self._may_add(request)
        if request.method in {"GET", "HEAD"}:
            return HttpResponseRedirect(reverse(UPLOAD))
        chosen = request.POST.get("store", "")
        store = entering.stores().filter(pk=chosen if chosen.isdecimal() and len(chosen) < 19 else 0).first()
        try:
            content = base64.b64decode(request.POST.get("content", ""), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            content = b""
        if store is None:
            messages.error(request, _("Nothing was imported: this store takes no orders any more. Choose another."))
            return HttpResponseRedirect(reverse(UPLOAD))
        try:
            written, found = importing.commit(content, store, by=request.user, now=clock.now())
        except RuleViolation as error:
            return self._preview(request, store, content, refused=str(error))
        text = ngettext(
            "%(count)d order imported into %(store)s.", "%(count)d orders imported into %(store)s.", len(written)
        )
        messages.success(request, text % {"count": len(written), "store": store})
        if found.known:
            text = ngettext(
                "%(count)d order was there already and was left as it is.",
                "%(count)d orders were there already and were left as they are.",
                len(found.known),
            )
            messages.info(request, text % {"count": len(found.known)})
        return HttpResponseRedirect(f"{reverse(LIST)}?store={store.pk}")

    @sensitive_variables()
    def _preview(self, request, store: Store, content: bytes, *, refused: str = ""):
        try:
            found = importing.preview(content, store, now=clock.now())
        except RuleViolation as error:
            form = UploadForm(initial={"store": store.pk})
            return self._upload(request, form, refused=str(error))
        request.current_app = self.admin_site.name
        context = self.admin_site.each_context(request) | {
            "opts": self.opts, "title": _("Orders from a file"), "store": store, "found": found, "refused": refused,
            "content": base64.urlsafe_b64encode(content).decode() if found.fits else "", "shown": SHOWN,
        }  # fmt: skip
        return TemplateResponse(request, "orders/csv_preview.html", context)

    def _upload(self, request, form, *, refused: str = ""):
        request.current_app = self.admin_site.name
        context = self.admin_site.each_context(request) | {
            "opts": self.opts, "title": _("Orders from a file"), "form": form, "refused": refused,
            "columns": [column for column in columns.ALL if column.is_read], "required": columns.REQUIRED,
        }  # fmt: skip
        return TemplateResponse(request, "orders/csv_upload.html", context)

    def export_view(self, request):
        """The list as its filters in the address have it. Only a POST exports: what leaves is logged."""
        if not (self.has_view_permission(request) and request.user.has_perm("orders.export_order")):
            raise PermissionDenied
        back = f"{reverse(LIST)}?{request.GET.urlencode()}"
        if request.method in {"GET", "HEAD"}:
            return HttpResponseRedirect(back)
        try:
            rows = self.get_changelist_instance(request).queryset
        except IncorrectLookupParameters:
            return HttpResponseRedirect(reverse(LIST))
        try:
            pieces = writing.export(rows, user=request.user)
        except RuleViolation as error:
            messages.error(request, str(error))
            return HttpResponseRedirect(back)
        name = f"orders-{clock.now():%Y-%m-%d}.csv"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return StreamingHttpResponse(pieces, content_type="text/csv; charset=utf-8", headers=headers)
