"""Orders: listed, read, entered and worked on. Each deed is the one the admin's button does."""

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response

from orderhub.rest import filtering, scopes, versions
from orderhub.rest.views import ClientViewSet, Listed, Shown
from orders import (
    annotating,
    assigning,
    deciding,
    entering,
    latch,
    notes,
    own_status,
    privacyclock,
    products,
    tagging,
)
from orders.api import reading, shapes, writing
from orders.api.shapes import OrderShape
from orders.models import Order, OrderEvent, OrderItem, Tag
from stores.models import Store

CUSTOM_FIELDS = ("custom_field_1", "custom_field_2", "custom_field_3")
_LINES = OrderItem.objects.filter(order=OuterRef("pk"))


def _spans(*names: str, **columns: str) -> dict[str, filtering.Filter]:
    """`ordered_after`, `ordered_before` … for columns that end in `_at` or are named."""
    wanted = {name: f"{name}_at" for name in names} | columns
    return {f"{name}_{end}": found for name, column in wanted.items() for end, found in filtering.span(column).items()}


FILTERS = {
    "store_id": filtering.number("store_id"),
    "status": filtering.choice("status", Order.Status.values),
    "fulfilled_by": filtering.choice("fulfilled_by", Order.FulfilledBy.values),
    "order_number": filtering.text("order_number"),
    "order_number_prefix": filtering.text("order_number__startswith"),
    "seller_order_id": filtering.text("seller_order_id"),
    "customer_id": filtering.number("customer_id"),
    "sku": filtering.text(lambda sku: Exists(_LINES.filter(sku=sku)), "Of a line."),
    "asin": filtering.text(lambda asin: Exists(_LINES.filter(asin=asin)), "Of a line."),
    "tracking_number": filtering.text(lambda number: _sent_with(number), "Of a parcel that is not voided."),
    "tag": filtering.text(lambda name: Exists(Order.tags.through.objects.filter(order=OuterRef("pk"), tag__name=name))),
    "assigned_to": filtering.text("assigned_to__username", "A user name."),
    "is_gift": filtering.flag("is_gift"),
    "is_prime": filtering.flag("is_prime"),
    "is_business": filtering.flag("is_business"),
    "has_cancel_request": filtering.flag(lambda asked: Q(cancel_requested_at__isnull=not asked)),
    **{name: filtering.text(name) for name in CUSTOM_FIELDS},
    "redacted": filtering.flag(lambda gone: Q(redacted_at__isnull=not gone), "Whether personal data is erased."),
    "redaction_due_before": filtering.instant("redaction_due_at__lt"),
    **_spans("ordered", "paid", "modified", "shipped", "redacted", created="first_imported_at", ship_by="ship_by"),
}  # fmt: skip


def _sent_with(number: str) -> Exists:
    shipments = Order._meta.get_field("shipments").related_model.objects
    return Exists(shipments.filter(order=OuterRef("pk"), tracking_number=number, voided_at__isnull=True))


class OrderViewSet(Listed, Shown, ClientViewSet):
    """Orders of the key's stores."""

    queryset = Order.objects.all()
    serializer_class = OrderShape
    sorts = ("-modified_at", "modified_at", "-ordered_at", "ordered_at", "-id", "id")
    filters = FILTERS
    creates = frozenset({"create", "note"})
    scopes = {
        **dict.fromkeys(("list", "retrieve", "timeline", "notes"), scopes.ORDERS_READ),
        **dict.fromkeys(
            ("create", "partial_update", "note", "tag", "untag", "hold", "release", "cancellation"), scopes.ORDERS_WRITE
        ),
        "privacy_clock": scopes.PRIVACY_REPORT,
    }

    def get_queryset(self):
        return reading.whole(super().get_queryset())

    def get_serializer(self, *args, **kwargs):
        """Persons are read and logged once for all rows of the answer."""
        rows = args[0] if args else []
        if not kwargs.get("many"):
            rows = [rows] if rows else []
        shown = rows and self._shows_persons(kwargs)
        seen = reading.persons_of(self.key, rows, now=self.now) if shown else {}
        kwargs["context"] = self.get_serializer_context() | {"persons": seen, "now": self.now}
        return self.get_serializer_class()(*args, **kwargs)

    def etag_of(self, order: Order) -> str:
        """Every change moves `modified_at`; the due instant erases without one."""
        seen = self.key.may(scopes.ORDERS_READ_PII)
        return versions.etag_of("order", order.pk, order.modified_at, order.is_erased(now=self.now), seen)

    @staticmethod
    def _shows_persons(kwargs: dict) -> bool:
        return bool({"person", "items", *CUSTOM_FIELDS} & set(kwargs.get("only") or ("person",)))

    # ---- Writing
    @extend_schema(
        summary="Enter an order into a manual or Handmade store", request=writing.NewOrder, responses={201: OrderShape}
    )
    def create(self, request):
        """A Handmade store counts as Amazon, and so does any order with one of Amazon's relay addresses: its personal
        data is erased on schedule."""
        given = self._read(writing.NewOrder)
        store = Store.objects.filter(pk__in=self.key.store_ids, pk=given.validated_data["store_id"]).first()
        if store is None:
            raise serializers.ValidationError({"store_id": [_("Your key sees no such store.")]})
        entry = given.entry({tag.pk: tag.name for tag in _tags(given.validated_data["tags"])})
        ids, made = self.make_once(lambda: [_enter(store, entry, by=request.user, client=self.key.name, now=self.now)])
        order = self.get_queryset().filter(pk__in=ids).first()
        if order is None:  # made once, and gone since
            raise Http404
        response = self.show(order, status=201 if made else 200)
        response["Location"] = request.build_absolute_uri(f"/api/v1/orders/{order.pk}")
        return response

    @extend_schema(summary="Change what clients may change", request=writing.OrderChange, responses=OrderShape)
    def partial_update(self, request, pk):
        """All of it or nothing. Of an erased order the buyer's choices are ignored and recorded, and the answer says so
        in a header Warning."""
        order = self.get_object()
        given = self._read(writing.OrderChange).validated_data
        with transaction.atomic():
            Order.objects.select_for_update().get(pk=order.pk)
            order = self.get_object()
            self.check_match(order)
            before = latch.attempts(order)
            self._change(order, given)
            ignored = latch.attempts(order) > before
        response = self.show(self.get_object())
        if ignored:
            response["Warning"] = latch.IGNORED
        return response

    def _change(self, order: Order, given: dict) -> None:
        who = {"by": self.request.user, "now": self.now}
        fields = {name: given[name] for name in CUSTOM_FIELDS if name in given}
        if fields:
            annotating.set_custom_fields(order, fields, client=self.key.name, **who)
        if "items" in given:
            options = {item["id"]: [dict(one) for one in item["options"]] for item in given["items"]}
            annotating.set_options(order, options, client=self.key.name, **who)
        if "weight_g" in given:
            products.weigh_by_hand(order, "" if given["weight_g"] is None else str(given["weight_g"]), **who)
        if "assigned_to" in given:
            assigning.assign([order.pk], _worker(given["assigned_to"]), **who)
        if "own_status" in given:
            own_status.wear(order, given["own_status"], **who)

    # ---- Deeds
    @extend_schema(summary="Put on hold", request=writing.HoldInput, responses=OrderShape)
    @action(detail=True, methods=["post"])
    def hold(self, request, pk):
        """`reason` is a code: a typed one could name a person."""
        given = self._read(writing.HoldInput).validated_data
        return self._do(lambda order, **who: deciding.hold(order, given["reason"], until=given["until"], **who))

    @extend_schema(summary="Release from hold", request=None, responses=OrderShape)
    @action(detail=True, methods=["post"])
    def release(self, request, pk):
        self._read(writing.StrictSerializer)
        return self._do(deciding.release)

    @extend_schema(summary="Answer the buyer's wish to cancel", request=writing.AnswerInput, responses=OrderShape)
    @action(detail=True, methods=["post"])
    def cancellation(self, request, pk):
        ship = self._read(writing.AnswerInput).validated_data["answer"] == "ship"
        return self._do(lambda order, **who: deciding.answer_cancellation(order, ship_anyway=ship, **who))

    @extend_schema(summary="Put tags on", request=writing.TagsInput, responses=OrderShape)
    @action(detail=True, methods=["post"])
    def tag(self, request, pk):
        tags = _tags(self._read(writing.TagsInput).validated_data["tags"])
        return self._do(lambda order, **who: tagging.put_on([order.pk], tags, **who))

    @extend_schema(summary="Take tags off", request=writing.TagsInput, responses=OrderShape)
    @action(detail=True, methods=["post"])
    def untag(self, request, pk):
        tags = _tags(self._read(writing.TagsInput).validated_data["tags"])
        return self._do(lambda order, **who: tagging.take_off([order.pk], tags, **who))

    # ---- What hangs on an order
    @extend_schema(summary="Notes, newest first", responses=shapes.NoteShape(many=True), filters=False)
    @action(detail=True, methods=["get"], pagination_class=None, filter_backends=[])
    def notes(self, request, pk):
        """One that names the buyer is hidden from a key that reads no names, and erased with the order."""
        sees = self.key.may(scopes.ORDERS_READ_PII)
        return Response(shapes.NoteShape(notes.shown(self.get_object(), sees_person=sees), many=True).data)

    @extend_schema(summary="Write a note", request=writing.NoteInput, responses={201: shapes.NoteShape(many=True)})
    @notes.mapping.post
    def note(self, request, pk):
        order, text = self.get_object(), self._read(writing.NoteInput).validated_data["text"]
        _ids, made = self.make_once(lambda: [notes.add(order, text, by=request.user, now=self.now).pk])
        rows = notes.shown(order, sees_person=self.key.may(scopes.ORDERS_READ_PII))
        return Response(shapes.NoteShape(rows, many=True).data, status=201 if made else 200)

    @extend_schema(summary="What happened, newest first", responses=shapes.EventShape(many=True))
    @action(detail=True, methods=["get"], pagination_class=None, filter_backends=[])
    def timeline(self, request, pk):
        """Codes and their parameters for programs, and a sentence in the language of Accept-Language."""
        events = self.get_object().events.select_related("actor")
        return Response(shapes.EventShape(events, many=True).data)

    @extend_schema(summary="Until when personal data is kept, and why", responses=shapes.ClockShape)
    @action(detail=True, methods=["get"], url_path="privacy-clock", pagination_class=None, filter_backends=[])
    def privacy_clock(self, request, pk):
        return Response(shapes.ClockShape(privacyclock.read(self.get_object(), now=self.now)).data)

    def _do(self, deed) -> Response:
        order = self.get_object()
        self.check_match(order)
        deed(order, by=self.request.user, now=self.now)
        return self.show(self.get_object())

    def _read(self, serializer: type) -> serializers.Serializer:
        given = serializer(data=self.request.data)
        given.is_valid(raise_exception=True)
        return given


def _enter(store: Store, entry: entering.Entry, *, by, client: str, now) -> int:
    """What the buyer chose for a line of an order that counts as Amazon's is personal: it is kept apart."""
    personal = store.platform == Store.Platform.HANDMADE
    chosen = [line.pop("options") for line in entry.lines] if personal else []
    for line in entry.lines:
        line.setdefault("options", [])
    (order,) = entering.enter(store, [entry], kind=OrderEvent.Kind.FROM_CLIENT, by=by, now=now)
    pairs = zip(order.items.order_by("pk"), chosen, strict=False)
    options = {item.pk: told for item, told in pairs if told}
    if options:
        annotating.set_options(order, options, by=by, client=client, now=now)
    return order.pk


def _tags(names: list[str]) -> list[Tag]:
    found = {tag.name.casefold(): tag for tag in Tag.objects.all()} if names else {}
    unknown = [name for name in names if name.casefold() not in found]
    if unknown:
        raise serializers.ValidationError({"tags": [_("There is no such tag. Tags are made in the back-office.")]})
    return [found[name.casefold()] for name in dict.fromkeys(names)]


def _worker(name: str):
    """The member of staff of this name; None for ''. ValidationError where there is none."""
    if not name:
        return None
    found = get_user_model().objects.filter(username=name, is_client=False).first()
    if found is None:
        raise serializers.ValidationError({"assigned_to": [_("There is no such user.")]})
    return found
