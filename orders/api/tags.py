"""Tags that exist. They are made in the back-office."""

from rest_framework import serializers

from orderhub.rest import scopes
from orderhub.rest.filtering import text
from orderhub.rest.serializers import SparseSerializer
from orderhub.rest.views import ClientViewSet, Listed
from orders.models import Tag


class TagShape(SparseSerializer):
    """A word on orders."""

    id = serializers.IntegerField(read_only=True)
    name = serializers.CharField(read_only=True)
    level = serializers.CharField(read_only=True)


class TagViewSet(Listed, ClientViewSet):
    """Tags are the same for all stores."""

    queryset = Tag.objects.all()
    serializer_class = TagShape
    sorts = ("id", "-id")
    filters = {"name": text("name__iexact")}
    scopes = {"list": scopes.ORDERS_READ}
    store_lookup = ""
