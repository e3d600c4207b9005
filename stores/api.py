"""Accounts and stores for API clients: to read. They are connected and set up in the back-office, by people."""

from rest_framework import serializers

from orderhub.rest import scopes
from orderhub.rest.filtering import choice, flag, number
from orderhub.rest.serializers import SparseSerializer
from orderhub.rest.views import ClientViewSet, Listed, Shown
from stores.models import AmazonAccount, Store


def _instant(**given) -> serializers.DateTimeField:
    return serializers.DateTimeField(read_only=True, allow_null=True, **given)


class AccountShape(SparseSerializer):
    """A seller's authorisation in one Amazon region. Nothing of a token is in it."""

    id = serializers.IntegerField(read_only=True)
    merchant = serializers.CharField(source="merchant.name", read_only=True)
    region = serializers.CharField(read_only=True)
    selling_partner_id = serializers.CharField(read_only=True)
    status = serializers.ChoiceField(choices=AmazonAccount.Status.choices, read_only=True)
    status_reason = serializers.CharField(read_only=True)
    authorized_at = _instant()
    authorization_expires_at = _instant()
    imported_until = _instant(help_text="Every change at Amazon up to here is in.")
    last_poll_at = _instant()
    next_poll_at = _instant()


class StoreShape(SparseSerializer):
    """One order source with its own settings."""

    id = serializers.IntegerField(read_only=True)
    name = serializers.CharField(read_only=True)
    merchant = serializers.CharField(source="merchant.name", read_only=True)
    platform = serializers.ChoiceField(choices=Store.Platform.choices, read_only=True)
    marketplace = serializers.CharField(read_only=True)
    account_id = serializers.IntegerField(read_only=True, allow_null=True)
    linked_store_id = serializers.IntegerField(read_only=True, allow_null=True)
    time_zone = serializers.CharField(read_only=True)
    product_identifier = serializers.ChoiceField(choices=Store.Identifier.choices, read_only=True)
    active = serializers.BooleanField(read_only=True)
    japan_enabled = serializers.BooleanField(read_only=True)
    custom_fields_enabled = serializers.BooleanField(read_only=True)
    custom_field_1 = serializers.CharField(read_only=True, help_text="What fills it; empty: free for clients.")
    custom_field_2 = serializers.CharField(read_only=True)
    custom_field_3 = serializers.CharField(read_only=True)
    import_afn = serializers.BooleanField(read_only=True)
    import_customization = serializers.BooleanField(read_only=True)
    brand_name = serializers.CharField(read_only=True)


class AccountViewSet(Listed, Shown, ClientViewSet):
    """Accounts behind the key's stores."""

    queryset = AmazonAccount.objects.select_related("merchant")
    serializer_class = AccountShape
    sorts = ("id", "-id")
    filters = {"status": choice("status", AmazonAccount.Status.values)}
    scopes = {"list": scopes.STORES_READ, "retrieve": scopes.STORES_READ}
    store_lookup = ""

    def get_queryset(self):
        if getattr(self, "swagger_fake_view", False):  # being described, nobody asks
            return AmazonAccount.objects.none()
        here = Store.objects.filter(pk__in=self.key.store_ids)
        return super().get_queryset().filter(pk__in=here.values("account"))


class StoreViewSet(Listed, Shown, ClientViewSet):
    """Stores of the key."""

    queryset = Store.objects.select_related("merchant")
    serializer_class = StoreShape
    sorts = ("id", "-id")
    filters = {
        "platform": choice("platform", Store.Platform.values), "active": flag("active"), "account_id": number("account_id"),
    }  # fmt: skip
    scopes = {"list": scopes.STORES_READ, "retrieve": scopes.STORES_READ}
    store_lookup = "pk"


RESOURCES = {"accounts": AccountViewSet, "stores": StoreViewSet}
