"""The address of a picture that a buyer gave for a line."""

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import get_object_or_404
from django.urls import path

from orders.customization import panel

POLICY = "default-src 'none'; frame-ancestors 'none'; sandbox"


class CustomizationDoors:
    """For the admin of orders."""

    def get_urls(self):
        view = self.admin_site.admin_view(self.customization_view)
        ours = path("<int:pk>/customization/<int:item>/<int:number>/", view, name="orders_order_customization")
        return [ours, *super().get_urls()]

    def customization_view(self, request, pk, item, number):
        """The picture, as PNG or JPEG. Every opening is logged; nothing keeps a copy."""
        if request.method not in {"GET", "HEAD"}:
            return HttpResponseNotAllowed(["GET", "HEAD"])
        order = get_object_or_404(self.get_queryset(request), pk=pk)
        if order.masked:
            raise Http404
        if not self.has_view_permission(request, order) or not panel.may_see(request.user, order):
            raise PermissionDenied
        found = panel.picture_for(request.user, order, item, number)
        if found is None:
            raise Http404
        picture, content_type = found
        headers = {
            "Content-Disposition": f'inline; filename="picture-{item}-{number}.{content_type[6:]}"',
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "no-store, private",
            "Content-Security-Policy": POLICY,
        }
        return HttpResponse(picture, content_type=content_type, headers=headers)
