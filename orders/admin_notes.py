"""The order page's door to notes."""

from django.contrib import messages
from django.http import HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters

from orderhub import clock
from orderhub.doors import post_only
from orderhub.errors import RuleViolation
from orders import notes


class NoteDoors:
    """Notes are added and read. There is no door to change or delete one."""

    def get_urls(self):
        view = self.admin_site.admin_view(self.note_view)
        return [path("<int:pk>/note/", view, name="orders_order_note"), *super().get_urls()]

    @method_decorator(sensitive_post_parameters())
    @post_only("admin:orders_order_change")
    def note_view(self, request, pk):
        """A refused note is shown again as it was typed, with the reason beside it."""
        self._allow(request.user.has_perm("orders.add_ordernote"))
        order = get_object_or_404(self.get_queryset(request), pk=pk)
        text = request.POST.get("text", "")
        try:
            notes.add(order, text, by=request.user, now=clock.now())
        except RuleViolation as error:
            return self._page(request, order, note={"text": text, "error": str(error)})
        self._tell(request, order, _("Note added."), messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:orders_order_change", args=[order.pk]) + "#notes-title")
