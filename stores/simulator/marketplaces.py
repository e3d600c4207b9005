"""The marketplaces the simulator knows, and a seller's account. Facts: Amazon's tables, read 2026-11-23."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Marketplace:
    code: str
    id: str
    region: str
    currency: str
    language: str
    domain: str
    country: str
    title: str

    @property
    def mail_domain(self) -> str:
        """Where the anonymised addresses of its buyers live."""
        return "marketplace." + self.domain.removeprefix("www.")

    @property
    def name(self) -> str:
        """As `salesChannel.marketplaceName` spells it."""
        return self.domain.removeprefix("www.").capitalize()


def _market(code: str, market_id: str, region: str, currency: str, language: str, tld: str, title: str) -> Marketplace:
    country = "GB" if code == "UK" else code
    return Marketplace(code, market_id, region, currency, language, f"www.amazon.{tld}", country, title)


MARKETPLACES = {
    market.code: market
    for market in (
        _market("US", "ATVPDKIKX0DER", "NA", "USD", "en_US", "com", "United States"),
        _market("CA", "A2EUQ1WTGCTBG2", "NA", "CAD", "en_CA", "ca", "Canada"),
        _market("MX", "A1AM78C64UM0Y8", "NA", "MXN", "es_MX", "com.mx", "Mexico"),
        _market("BR", "A2Q3Y263D00KWC", "NA", "BRL", "pt_BR", "com.br", "Brazil"),
        _market("UK", "A1F83G8C2ARO7P", "EU", "GBP", "en_GB", "co.uk", "United Kingdom"),
        _market("DE", "A1PA6795UKMFR9", "EU", "EUR", "de_DE", "de", "Germany"),
        _market("FR", "A13V1IB3VIYZZH", "EU", "EUR", "fr_FR", "fr", "France"),
        _market("IT", "APJ6JRA9NG5V4", "EU", "EUR", "it_IT", "it", "Italy"),
        _market("ES", "A1RKKUPIHCS9HS", "EU", "EUR", "es_ES", "es", "Spain"),
        _market("NL", "A1805IZSGTT6HS", "EU", "EUR", "nl_NL", "nl", "Netherlands"),
        _market("SE", "A2NODRKZP88ZB9", "EU", "SEK", "sv_SE", "se", "Sweden"),
        _market("PL", "A1C3SOZRARQ6R3", "EU", "PLN", "pl_PL", "pl", "Poland"),
        _market("BE", "AMEN7PMS3EDWL", "EU", "EUR", "fr_BE", "com.be", "Belgium"),
        _market("IE", "A28R8C7NBKEWEA", "EU", "EUR", "en_IE", "ie", "Ireland"),
        _market("TR", "A33AVAJ2PDY3EV", "EU", "TRY", "tr_TR", "com.tr", "Turkiye"),
        _market("AE", "A2VIGQ35RCS4UG", "EU", "AED", "en_AE", "ae", "United Arab Emirates"),
        _market("SA", "A17E79C6D8DWNP", "EU", "SAR", "ar_SA", "sa", "Saudi Arabia"),
        _market("EG", "ARBP9OOSHTCHU", "EU", "EGP", "ar_EG", "eg", "Egypt"),
        _market("IN", "A21TJRUUN4KGV", "EU", "INR", "en_IN", "in", "India"),
        _market("ZA", "AE08WJ6YKNBMC", "EU", "ZAR", "en_ZA", "co.za", "South Africa"),
        _market("JP", "A1VC38T7YXB528", "FE", "JPY", "ja_JP", "co.jp", "Japan"),
        _market("AU", "A39IBJ37TRP1C6", "FE", "AUD", "en_AU", "com.au", "Australia"),
        _market("SG", "A19VAU5U5O7RUS", "FE", "SGD", "en_SG", "sg", "Singapore"),
    )
}
BY_ID = {market.id: market for market in MARKETPLACES.values()}


@dataclass(frozen=True)
class Seller:
    """A selling account. `pii_role`: its sign-in covers buyers' data; `account_role`: the account's own."""

    region: str
    seller_id: str
    refresh_token: str
    marketplaces: tuple[str, ...]
    plan: str = "PROFESSIONAL"
    store_name: str = "Maple Lane Goods"
    pii_role: bool = True
    account_role: bool = True

    @property
    def marketplace_ids(self) -> tuple[str, ...]:
        return tuple(MARKETPLACES[code].id for code in self.marketplaces)
