"""Amazon's marketplaces: facts, not settings. Source: Amazon's marketplace ids and Seller Central URLs, 2026-11."""

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class Marketplace:
    """One order source. `code`: Amazon's country code (UK, not GB). `host`: the Seller Central that grants consent."""

    code: str
    id: str
    region: str
    domain: str
    host: str
    currency: str
    time_zone: str
    name: str

    @property
    def label(self) -> str:
        return f"Amazon.{self.domain}"


def _market(code, id_, region, domain, currency, zone, name, host=None) -> Marketplace:
    return Marketplace(code, id_, region, domain, host or f"sellercentral.amazon.{domain}", currency, zone, name)


_EU = "sellercentral-europe.amazon.com"
ALL = (
    _market("US", "ATVPDKIKX0DER", "NA", "com", "USD", "America/Los_Angeles", _("United States")),
    _market("CA", "A2EUQ1WTGCTBG2", "NA", "ca", "CAD", "America/Toronto", _("Canada")),
    _market("MX", "A1AM78C64UM0Y8", "NA", "com.mx", "MXN", "America/Mexico_City", _("Mexico")),
    _market("BR", "A2Q3Y263D00KWC", "NA", "com.br", "BRL", "America/Sao_Paulo", _("Brazil")),
    _market("UK", "A1F83G8C2ARO7P", "EU", "co.uk", "GBP", "Europe/London", _("United Kingdom"), _EU),
    _market("DE", "A1PA6795UKMFR9", "EU", "de", "EUR", "Europe/Berlin", _("Germany"), _EU),
    _market("FR", "A13V1IB3VIYZZH", "EU", "fr", "EUR", "Europe/Paris", _("France"), _EU),
    _market("IT", "APJ6JRA9NG5V4", "EU", "it", "EUR", "Europe/Rome", _("Italy"), _EU),
    _market("ES", "A1RKKUPIHCS9HS", "EU", "es", "EUR", "Europe/Madrid", _("Spain"), _EU),
    _market("NL", "A1805IZSGTT6HS", "EU", "nl", "EUR", "Europe/Amsterdam", _("Netherlands")),
    _market("SE", "A2NODRKZP88ZB9", "EU", "se", "SEK", "Europe/Stockholm", _("Sweden")),
    _market("PL", "A1C3SOZRARQ6R3", "EU", "pl", "PLN", "Europe/Warsaw", _("Poland")),
    _market("BE", "AMEN7PMS3EDWL", "EU", "com.be", "EUR", "Europe/Brussels", _("Belgium")),
    _market("IE", "A28R8C7NBKEWEA", "EU", "ie", "EUR", "Europe/Dublin", _("Ireland")),
    _market("TR", "A33AVAJ2PDY3EV", "EU", "com.tr", "TRY", "Europe/Istanbul", _("Türkiye")),
    _market("AE", "A2VIGQ35RCS4UG", "EU", "ae", "AED", "Asia/Dubai", _("United Arab Emirates")),
    _market("SA", "A17E79C6D8DWNP", "EU", "sa", "SAR", "Asia/Riyadh", _("Saudi Arabia")),
    _market("EG", "ARBP9OOSHTCHU", "EU", "eg", "EGP", "Africa/Cairo", _("Egypt")),
    _market("IN", "A21TJRUUN4KGV", "EU", "in", "INR", "Asia/Kolkata", _("India")),
    _market("ZA", "AE08WJ6YKNBMC", "EU", "co.za", "ZAR", "Africa/Johannesburg", _("South Africa")),
    _market("JP", "A1VC38T7YXB528", "FE", "co.jp", "JPY", "Asia/Tokyo", _("Japan")),
    _market("AU", "A39IBJ37TRP1C6", "FE", "com.au", "AUD", "Australia/Sydney", _("Australia")),
    _market("SG", "A19VAU5U5O7RUS", "FE", "sg", "SGD", "Asia/Singapore", _("Singapore")),
)
BY_CODE = {market.code: market for market in ALL} | {"GB": next(m for m in ALL if m.code == "UK")}
BY_ID = {market.id: market for market in ALL}
REGIONS = ("NA", "EU", "FE")
REGION_HOSTS = {region: f"sellingpartnerapi-{region.lower()}.amazon.com" for region in REGIONS}
UNIFIED_NORTH_AMERICA = frozenset({"US", "CA", "MX"})
JAPAN = "JP"
CODE_CHOICES = [(market.code, market.label) for market in ALL]
REGION_CHOICES = [("NA", _("North America")), ("EU", _("Europe")), ("FE", _("Far East"))]
