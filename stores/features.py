"""What only customer success may switch on, per store."""

from django.db import transaction
from django.utils.translation import gettext as _

from orderhub import clock
from orderhub.errors import RuleViolation
from privacy import access, audit
from privacy.models.event import EventCode
from stores import marketplaces
from stores.connecting import read_again
from stores.models import MAPPED_FIELDS, FeatureGrant, Store

_COLUMNS = {
    FeatureGrant.Feature.CUSTOM_FIELDS: "custom_fields_enabled",
    FeatureGrant.Feature.JAPAN: "japan_enabled",
}


def grant(store: Store, feature: str, *, by, reason: str, enabled: bool = True) -> FeatureGrant:
    """Switch a feature on (or off) and keep who, when and why. The only writer of the feature columns.

    Membership of Customer success decides; being a superuser does not. Enabling Amazon.co.jp also activates its store,
    disabling stops it. Disabling custom fields clears their mapping. RuleViolation for anybody else, and without a
    reason. Safe to repeat: each call is recorded.
    """
    if not access.has_role(by, access.SUCCESS):
        raise RuleViolation(
            _(
                "Only a member of customer success can change this feature. Ask customer success, giving the store's name."
            )
        )
    if not reason.strip():
        raise RuleViolation(_("Say why this feature is changed: the reason is kept."))
    _check_fits(store, feature)
    column = _COLUMNS[FeatureGrant.Feature(feature)]
    changes = {column: enabled}
    if feature == FeatureGrant.Feature.JAPAN and store.marketplace == "JP":
        changes["active"] = enabled
    if clears_mapping(feature) and not enabled:
        changes |= dict.fromkeys(MAPPED_FIELDS, "")
    with transaction.atomic():
        if changes.get("active") and not store.active:
            read_again(store.account, [store.market.id])
        Store.objects.filter(pk=store.pk).update(**changes)
        record = FeatureGrant.objects.create(
            store=store,
            feature=feature,
            enabled=enabled,
            granted_by=by,
            granted_at=clock.now(),
            reason=reason.strip(),
        )
        word = f"{feature} {'on' if enabled else 'off'}"  # why stands in the grant: somebody typed it
        audit.record(EventCode.FEATURE_GRANTED, user=by, kind="store", ids=[store.pk], reason=word)
    store.refresh_from_db()
    return record


def clears_mapping(feature: str) -> bool:
    """Whether switching this feature off forgets what the custom fields hold."""
    return feature == FeatureGrant.Feature.CUSTOM_FIELDS


def _check_fits(store: Store, feature: str) -> None:
    """A feature is for the stores it says something to."""
    if feature == FeatureGrant.Feature.JAPAN and store.marketplace != marketplaces.JAPAN:
        raise RuleViolation(_("Only a store of Amazon.co.jp can have this feature."))
    if store.platform != Store.Platform.AMAZON:
        raise RuleViolation(_("Only an Amazon store can have this feature."))
