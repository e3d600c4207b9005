"""What a change of a store is called in its history: the section of its page, then the field.

The history keeps the English words and translates them when it is read, so each stands whole in the catalogue.
"""

from django.utils.translation import gettext_noop as _

FIELDS = {
    "name": _("General: name"),
    "active": _("General: active"),
    "brand_name": _("Brand: name on labels"),
    "brand_phone": _("Brand: phone"),
    "brand_site": _("Brand: web site"),
    "logo": _("Brand: logo"),
    "slip_message": _("Brand: text on packing slips"),
    "slip_shows_sku": _("Brand: SKUs on packing slips"),
    "ship_from_name": _("Ship-from address: name"),
    "ship_from_company": _("Ship-from address: company"),
    "ship_from_street1": _("Ship-from address: street"),
    "ship_from_street2": _("Ship-from address: street, second line"),
    "ship_from_street3": _("Ship-from address: street, third line"),
    "ship_from_postal_code": _("Ship-from address: postcode"),
    "ship_from_city": _("Ship-from address: city"),
    "ship_from_state": _("Ship-from address: state or region"),
    "ship_from_country": _("Ship-from address: country code"),
    "ship_from_phone": _("Ship-from address: phone"),
    "brand_from_email": _("Sender of mails: address"),
    "approved_sender": _("Sender of mails: approved sender"),
    "mail_shipped": _("Mails to buyers: when a parcel leaves"),
    "mail_delivered": _("Mails to buyers: when a parcel is delivered"),
    "notify_when": _("Notice to Amazon: when"),
    "notify_delay_minutes": _("Notice to Amazon: delay in minutes"),
    "correct_tracking": _("Notice to Amazon: tracking numbers may be corrected"),
    "import_afn": _("Orders taken in: Amazon-fulfilled orders"),
    "import_customization": _("Orders taken in: details of Amazon Custom orders"),
    "product_identifier": _("Products: product identifier"),
    "product_title_policy": _("Products: title"),
    "product_image_policy": _("Products: photo"),
    "product_weight_policy": _("Products: weight"),
    "product_dimensions_policy": _("Products: dimensions"),
    "short_stock": _("Products: shipping more than was counted"),
    "custom_field_1": _("Custom fields: custom field 1"),
    "custom_field_2": _("Custom fields: custom field 2"),
    "custom_field_3": _("Custom fields: custom field 3"),
}
FEATURES = {
    ("custom_fields", True): _("Features: custom fields enabled"),
    ("custom_fields", False): _("Features: custom fields disabled"),
    ("japan", True): _("Features: Amazon.co.jp enabled"),
    ("japan", False): _("Features: Amazon.co.jp disabled"),
}


def changed(*names: str) -> list[dict]:
    """The message of the history for these fields of a store's page."""
    return [{"changed": {"fields": [FIELDS[name] for name in names]}}]


def switched(feature: str, enabled: bool) -> list[dict]:
    """The message for a feature that was switched; why is kept with the feature alone."""
    return [{"changed": {"fields": [FEATURES[feature, enabled]]}}]
