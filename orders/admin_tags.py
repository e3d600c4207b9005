"""Doors to tags: the list of tags, and one order's own."""

from django.contrib import admin
from django.db.models import Count
from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from orderhub import clock
from orderhub.doors import post_only
from orderhub.wording import badge
from orders import tagging
from orders.models import Tag


class TagDoors:
    """One tag put on or taken off on the page of an order."""

    def get_urls(self):
        def deed(name, view):
            return path(f"<int:pk>/{name}/", self.admin_site.admin_view(view), name=f"orders_order_{name}")

        return [deed("tag", self.tag_view), deed("untag", self.untag_view), *super().get_urls()]

    @post_only("admin:orders_order_change")
    def tag_view(self, request, pk):
        return self._change_tag(request, pk, tagging.put_on, _now("Tag “%(tag)s” put on."))

    @post_only("admin:orders_order_change")
    def untag_view(self, request, pk):
        return self._change_tag(request, pk, tagging.take_off, _now("Tag “%(tag)s” taken off."))

    def _change_tag(self, request, pk, deed, told: str):
        self._allow(self.has_decide_permission(request))
        tag = get_object_or_404(Tag, pk=number(request.POST.get("tag")))
        return self._decide(request, pk, lambda order, **who: deed([order.pk], [tag], **who), told % {"tag": tag.name})


def number(text: str | None) -> int:
    """An id as it was posted; 0, which no row has, for anything else."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 19 else 0


@admin.register(Tag)
class TagAdmin(admin.ModelAdmin):
    """The words on orders. Renaming one renames it everywhere; deleting one takes it off every order."""

    change_list_template = "orders/tag_list.html"
    add_words = _("New tag")
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_display = ["name", "looks", "used"]
    fields = ["name", "level"]
    actions = None

    def get_queryset(self, request):
        return super().get_queryset(request).annotate(order_count=Count("orders"))

    def get_form(self, request, obj=None, **kwargs):
        texts = {"name": _("Words for work, such as “urgent”. Never the name of a buyer: tags are not erased.")}
        return super().get_form(request, obj, **({"help_texts": texts} | kwargs))

    def save_model(self, request, obj, form, change):
        if change and "name" in form.changed_data:
            tagging.stands_otherwise(obj, now=clock.now())
        super().save_model(request, obj, form, change)

    def delete_model(self, request, obj):
        tagging.stands_otherwise(obj, now=clock.now())
        super().delete_model(request, obj)

    @admin.display(description=_("colour"), ordering="level")
    def looks(self, tag):
        return badge(tag.get_level_display(), tag.level)

    @admin.display(description=_("orders"), ordering="order_count")
    def used(self, tag):
        return tag.order_count

    def get_deleted_objects(self, objs, request):
        """How many orders lose the tag, instead of each of them by name."""
        told = [
            ngettext("%(tag)s: on %(count)d order", "%(tag)s: on %(count)d orders", tag.order_count)
            % {"tag": tag.name, "count": tag.order_count}
            for tag in self.get_queryset(request).filter(pk__in=[tag.pk for tag in objs])
        ]
        return told, {Tag._meta.verbose_name_plural: len(told)}, set(), []
