"""The sections of a store's page: what each is for, and what it shows besides fields of the form.

A section is a Panel. Those of FORM hold fields and are saved together; those below do something of their own, each
by a function that returns its Panel, or None where the store has none. Those stand in below().
"""

from dataclasses import dataclass, field, replace
from datetime import datetime

from django.contrib.admin.helpers import Fieldset
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from privacy import access
from stores import (
    customfields,
    features,
    forms,
    forms_bigcommerce,
    forms_store,
    health,
    importmatrix,
    linking,
    marketplaces,
    notifying,
    sellercentral,
    words,
)
from stores import retention_panel as retention_of
from stores.models import MAPPED_FIELDS, PRODUCT_POLICIES, CustomFieldSource, FeatureGrant, Store

HISTORY = 20
USUAL_DELAYS = (15, 30, 60, 120, 240, 480, 1440)  # minutes: offered, any other number may be typed


@dataclass(frozen=True)
class Panel:
    """One section. `purpose`: what it is for, in a line. `lines`: names of form fields, as they stand side by side.

    `template` is drawn below the fields with the page's context and `panel`; `facts` is for it. `amazon_only`: absent
    where no Amazon account is behind the store; `mails_only`: where no mails are sent for it; `manual_only`: where a
    marketplace is behind it.
    """

    key: str
    title: str
    purpose: str
    lines: tuple[tuple[str, ...], ...] = ()
    template: str = ""
    amazon_only: bool = False
    mails_only: bool = False
    manual_only: bool = False
    facts: dict = field(default_factory=dict)
    fieldset: Fieldset | None = None

    @property
    def names(self) -> list[str]:
        return [name for line in self.lines for name in line]

    @property
    def wrong(self) -> bool:
        """Whether something typed here was refused."""
        form = self.fieldset.form if self.fieldset else None
        return bool(self.facts.get("wrong") or (form and any(name in form.errors for name in self.names)))


FORM = [
    Panel(
        "general", _("General"), _("How staff recognise the store, and whether it takes orders in."),
        (("name",), ("active",)), "stores/store_general.html",
    ),
    Panel(
        "brand", _("Brand"), _("What buyers see of the shop. Labels carry the name; the preview shows slip and mail."),
        (("brand_name", "brand_phone"), ("brand_site",), ("slip_message",), ("slip_shows_sku",), ("logo",)),
        "stores/store_brand.html",
    ),
    Panel(
        "ship-from", _("Ship-from address"), _("Where parcels leave from, and where they come back to."),
        tuple(tuple(f"ship_from_{part}" for part in line) for line in forms_store.SHIP_FROM_LINES),
    ),
    Panel(
        "sender", _("Sender of mails"), _("Amazon delivers mails to buyers only from an address the seller approved."),
        (("brand_from_email",),), "stores/store_sender.html", mails_only=True,
    ),
    Panel(
        "mails", _("Mails to buyers"), _("What buyers are told by mail. Amazon forbids these for its own orders, so they get none."),
        (("mail_shipped",), ("mail_delivered",)), manual_only=True,
    ),
    Panel(
        "notification", _("Notice to Amazon"), _("When Amazon is told that a parcel left."),
        (("notify_when", "notify_delay_minutes"), ("correct_tracking",)), "stores/store_notification.html", amazon_only=True,
    ),
    Panel(
        "import", _("Orders taken in"), _("What comes in besides the orders that the merchant ships."),
        (("import_afn", "import_customization"),), amazon_only=True,
    ),
    Panel(
        "products", _("Products"),
        _("How products are recognised, what the catalogue of Amazon overwrites each time it is asked, and what a shortage stops."),
        (("product_identifier",), PRODUCT_POLICIES[:2], PRODUCT_POLICIES[2:], ("short_stock",)),
        "stores/store_products.html", amazon_only=True,
    ),
    Panel(
        "statuses", _("Statuses"), _("What the marketplace's own statuses mean here. One without a meaning waits on hold."),
        (), "stores/store_statuses.html", amazon_only=True,
    ),
]  # fmt: skip


def of_form(store: Store) -> list[Panel]:
    """The sections this store's form has."""
    return [panel for panel in FORM if _belongs(panel, store)]


def _belongs(panel: Panel, store: Store) -> bool:
    if panel.manual_only:
        return store.platform == Store.Platform.MANUAL
    if panel.mails_only:
        return sends_mails(store)
    return bool(store.account_id) or not panel.amazon_only


def sends_mails(store: Store) -> bool:
    """Whether orders of this store lead to mails. A BigCommerce store only mirrors an Amazon store."""
    return store.platform != Store.Platform.BIGCOMMERCE


def has_products(store: Store) -> bool:
    """Whether products are called by its identifier already; read once for each store in hand."""
    if not hasattr(store, "has_products"):
        store.has_products = store.products.exists()
    return store.has_products


def filled(store: Store, fieldsets: list[Fieldset], formset, *, now: datetime) -> list[Panel]:
    """The same sections with their fields and facts, ready to be drawn."""
    facts = {"statuses": {"formset": formset, "wrong": bool(formset and not _stands(formset))}}
    if store.account_id:
        facts["products"] = {"has_some": has_products(store)}
        facts["notification"] = {"forecast": forecast(store, now=now), "usual": usual_delays()}
    if sends_mails(store):
        facts["sender"] = sender_facts(store)
    found = [
        replace(panel, fieldset=fieldset, facts=facts.get(panel.key, {}))
        for panel, fieldset in zip(of_form(store), fieldsets, strict=True)
    ]
    _focus_first_mistake(found, formset)
    return found


def _focus_first_mistake(found: list[Panel], formset) -> None:
    """The page opens at the first field that was refused, as it stands on the page; rows of a table come last."""
    rows = [*formset.forms] if formset and formset.is_bound else []
    parts = [(panel.fieldset.form, panel.names) for panel in found]
    for form, names in [*parts, *((form, list(form.fields)) for form in rows)]:
        if forms_store.focus_mistake(form, names):
            return


def _stands(formset) -> bool:
    return not formset.is_bound or formset.is_valid()


def sender_facts(store: Store) -> dict:
    """Which address mails come from, and whether anything confirmed still counts."""
    confirmed = store.approved_sender_confirmed_at
    return {
        "address": store.sender,
        "is_default": not store.brand_from_email,
        "approved": store.sender_approved,
        "voided": store.approved_sender if store.approved_sender and not store.sender_approved else "",
        "at": confirmed,
        "by": store.approved_sender_confirmed_by if confirmed else None,
        "seller_central": store.market.host if store.market else "",
        "manual": store.platform == Store.Platform.MANUAL,
    }


def forecast(store: Store, *, now: datetime) -> dict:
    """When a parcel made now is told to Amazon: `at`, or `trouble` where the account does not work, or `connector`."""
    if store.amazon_told_by == Store.ToldBy.CONNECTOR:
        return {"connector": True}
    first = notifying.first_attempt(store, now, None)
    if first is None:
        return {}
    trouble = health.words(store.account)
    return {"trouble": trouble} if trouble else {"at": notifying.expected_at(store.account, first, now=now)}


def usual_delays() -> list[tuple[int, str]]:
    """Minutes, and the same in the words of people."""
    return [
        (minutes, _now("%d min") % minutes if minutes < 60 else _now("%d h") % (minutes // 60))
        for minutes in USUAL_DELAYS
    ]  # fmt: skip


# -- sections that do something of their own


def features_panel(request, store: Store) -> Panel | None:
    """What customer success switches: state, history, and for them a form that turns it round."""
    if not store.account_id:
        return None
    purpose = _("What only customer success may switch on for this store.")
    facts = {"features": _features(store), "may_grant": access.has_role(request.user, access.SUCCESS)}
    return Panel("features", _("Features"), purpose, template="stores/store_features.html", facts=facts)


def _features(store: Store) -> list[dict]:
    states = {FeatureGrant.Feature.CUSTOM_FIELDS: store.custom_fields_enabled}
    if store.marketplace == marketplaces.JAPAN:
        states[FeatureGrant.Feature.JAPAN] = store.japan_enabled
    grants = list(store.grants.select_related("granted_by").order_by("-granted_at", "-pk")[:HISTORY])
    return [
        {
            "label": feature.label,
            "enabled": enabled,
            "grants": [grant for grant in grants if grant.feature == feature],
            "clears": _labels(store.mapping) if features.clears_mapping(feature) else [],
            "form": _grant_form(feature, enabled),
        }
        for feature, enabled in states.items()
    ]


def _grant_form(feature: FeatureGrant.Feature, enabled: bool) -> forms_store.GrantForm:
    """The form that turns a feature round; its field is read out with the feature's name, as there are several."""
    wish = {"feature": feature, "enabled": "off" if enabled else "on"}
    form = forms_store.GrantForm(initial=wish, auto_id=f"{feature}_%s")
    form.fields["reason"].widget.attrs["aria-label"] = f"{form.fields['reason'].label}: {feature.label}"
    return form


def _labels(sources: tuple[str, ...]) -> list[str]:
    return [str(CustomFieldSource(source).label) for source in sources if source]


def custom_fields_panel(request, store: Store) -> Panel | None:
    """What the three custom fields hold, and how that looks on the last orders when somebody asks."""
    if not store.account_id:
        return None
    asked = asked_sources(request.GET)
    sources = asked if asked is not None else store.mapping
    may_map = store.custom_fields_enabled and customfields.may_map(request.user)
    shows = asked is not None and store.custom_fields_enabled and request.user.has_perm("orders.view_order")
    facts = {
        "enabled": store.custom_fields_enabled,
        "may_map": may_map,
        "may_grant": access.has_role(request.user, access.SUCCESS),
        "form": forms_store.MappingForm(sources, disabled=not may_map),
        "rows": customfields.preview(store, sources, request.user) if shows else None,
        "unsaved": asked is not None and asked != store.mapping,
    }
    purpose = _("What up to three fields of each order hold; the preview shows it on the last orders.")
    return Panel("custom-fields", _("Custom fields"), purpose, template="stores/store_custom_fields.html", facts=facts)


def asked_sources(parameters) -> tuple[str, ...] | None:
    """The sources an address asks to preview, unknown ones as none; None where it asks for no preview."""
    if not any(name in parameters for name in MAPPED_FIELDS):
        return None
    wanted = (parameters.get(name, "") for name in MAPPED_FIELDS)
    return tuple(source if source in CustomFieldSource.values else "" for source in wanted)


def authorisation_panel(request, store: Store) -> Panel | None:
    """Where a renewed token is pasted (R13): it is the account's, so the stores it renews too are named; one query."""
    account = store.account
    if account is None or not request.user.has_perm("stores.change_amazonaccount"):
        return None
    facts = {
        "account": account,
        "expiry": words.expiry_badge(account),
        "trouble": health.words(account),
        "hosts": [store.market.host],
        "application_id": sellercentral.application_id(),
        "siblings": list(account.stores.exclude(pk=store.pk).order_by("name").values_list("name", flat=True)),
        "form": forms.RenewForm(auto_id="renew_%s"),
    }
    purpose = _("Until when Amazon lets OrderHub read this store, and where a renewed token is pasted.")
    return Panel("authorisation", _("Authorisation"), purpose, template="stores/store_authorisation.html", facts=facts)


def bigcommerce_panel(request, store: Store, link_form=None) -> Panel | None:
    """The link of an Amazon store to its mirror; of a BigCommerce store, how it is reached.

    `link_form`: what was chosen and refused, shown again with what is wrong.
    """
    shop = store if store.platform == Store.Platform.BIGCOMMERCE else store.linked_store
    credentials = getattr(shop, "bigcommerce", None) if shop else None
    if store.platform == Store.Platform.AMAZON:
        purpose = _("The BigCommerce store that shows the same orders, and who tells Amazon of their parcels.")
    elif credentials is not None:
        purpose = _("How this store is reached, and which Amazon stores it mirrors.")
    else:
        return None
    may_change = request.user.has_perm("stores.change_store")
    facts = {"shop": shop, "credentials": credentials, "wrong": link_form is not None} | _mirror_words(credentials)
    if store.platform == Store.Platform.AMAZON and may_change:
        facts["link_form"] = link_form or forms_bigcommerce.LinkForm(store=store)
        facts["has_shops"] = facts["wrong"] or facts["link_form"].fields["shop"].queryset.exists()
    elif may_change:
        facts["token_form"] = forms_bigcommerce.ShopTokenForm(auto_id="shop_%s")
    if shop is store:
        facts["linked_from"] = list(store.linked_from.order_by("name"))
    facts["answered"] = bool(store.linked_mails_off_at or facts.get("linked_from"))  # each link has its answer
    return Panel("bigcommerce", "BigCommerce", purpose, template="stores/store_bigcommerce.html", facts=facts)


def _mirror_words(credentials) -> dict:
    """What stands against a mirror: a refused token, and mails that Amazon forbids."""
    if credentials is None:
        return {}
    refused = credentials.status == credentials.Status.REFUSED
    return {
        "refused": linking.refusal(credentials.status_reason) if refused else "",
        "may_mail": bool(credentials.mailing_statuses),
        "mails_unknown": credentials.mailing_statuses is None,
    }


def imports_panel(request, store: Store) -> Panel | None:
    """What is taken in and what is left out, as the settings stand, and how many were left out."""
    if not store.account_id:
        return None
    linked = request.user.has_perm("orders.view_skippedorder")
    facts = {"rows": importmatrix.rows(store), "left_out": importmatrix.left_out(store, linked=linked)}
    purpose = _("What becomes of each kind of order, as the settings are saved now.")
    return Panel("imports", _("What is imported"), purpose, template="stores/store_imports.html", facts=facts)


def retention_panel(request, store: Store) -> Panel:
    """How long personal data of this store's orders is kept; to read. No query but for the reader's role."""
    purpose = _("How long names and addresses are kept: the rules, or less where the privacy officer says so.")
    facts = retention_of.facts(request.user, store)
    return Panel("retention", _("Personal data"), purpose, template="stores/store_retention.html", facts=facts)


def below(request, store: Store, link_form=None) -> list[Panel]:
    """The sections under the form. `link_form`: a link that was refused."""
    found = [
        imports_panel(request, store),
        authorisation_panel(request, store),
        features_panel(request, store),
        custom_fields_panel(request, store),
        bigcommerce_panel(request, store, link_form),
        retention_panel(request, store),
    ]
    return [panel for panel in found if panel]
