"""Carriers a member of staff can choose, and the exact spelling Amazon wants. Source: Amazon's carrier code list.

`services` are suggestions; Amazon takes any text. No service typed by hand counts as automatically tracked: nobody
reports its scans to us.
"""

from dataclasses import dataclass
from urllib.parse import quote


@dataclass(frozen=True)
class Carrier:
    """`amazon`: Amazon's code; `Other` goes with our name for it. `url`: public tracking page, `{n}` the number."""

    code: str
    name: str
    amazon: str
    services: tuple[str, ...] = ()
    url: str = ""

    def tracking_url(self, number: str) -> str:
        return self.url.format(n=quote(number, safe="")) if self.url else ""


ALL = (
    Carrier("usps", "USPS", "USPS", ("Ground Advantage", "Priority Mail"), "https://tools.usps.com/go/TrackConfirmAction?tLabels={n}"),
    Carrier("ups", "UPS", "UPS", ("UPS Ground", "UPS Standard", "UPS Worldwide Saver"), "https://www.ups.com/track?tracknum={n}"),
    Carrier("fedex", "FedEx", "FedEx", ("FedEx Ground", "FedEx 2Day"), "https://www.fedex.com/fedextrack/?trknbr={n}"),
    Carrier("dhl_express", "DHL Express", "DHL Express", ("Express Worldwide",), "https://www.dhl.com/us-en/home/tracking.html?tracking-id={n}"),
    Carrier("ontrac", "OnTrac", "OnTrac", ("Ground",), "https://www.ontrac.com/tracking/?number={n}"),
    Carrier("canada_post", "Canada Post", "Canada Post", ("Expedited Parcel", "Xpresspost"), "https://www.canadapost-postescanada.ca/track-reperage/en#/search?searchFor={n}"),
    Carrier("purolator", "Purolator", "PUROLATOR", ("Ground", "Express"), "https://www.purolator.com/en/shipping/tracker?searchValue={n}"),
    Carrier("estafeta", "Estafeta", "Estafeta", ("Terrestre",)),
    Carrier("royal_mail", "Royal Mail", "Royal Mail", ("Tracked 24", "Tracked 48"), "https://www.royalmail.com/track-your-item#/tracking-results/{n}"),
    Carrier("colissimo", "Colissimo", "Colissimo", ("Colissimo Domicile", "Colissimo Signature"), "https://www.laposte.fr/outils/suivre-vos-envois?code={n}"),
    Carrier("la_poste", "La Poste", "La Poste", ("Lettre suivie",), "https://www.laposte.fr/outils/suivre-vos-envois?code={n}"),
    Carrier("chronopost", "Chronopost", "Chronopost", ("Chrono 13", "Chrono 18"), "https://www.chronopost.fr/tracking-no-cms/suivi-page?listeNumerosLT={n}"),
    Carrier("mondial_relay", "Mondial Relay", "Mondial Relay", ("Point Relais",)),
    Carrier("dpd", "DPD", "DPD", ("Classic", "Predict"), "https://www.dpd.fr/trace/{n}"),
    Carrier("gls", "GLS", "GLS", ("Business Parcel",), "https://gls-group.com/track/{n}"),
    Carrier("dhl_paket", "DHL Paket", "DHL-Paket", ("DHL Paket", "Kleinpaket"), "https://www.dhl.com/de-de/home/tracking/tracking-parcel.html?submit=1&tracking-id={n}"),
    Carrier("hermes_de", "Hermes", "Hermes Logistik Gruppe", ("Paket",)),
    Carrier("correos", "Correos", "Correos", ("Paq Premium", "Paq Estándar"), "https://www.correos.es/es/es/herramientas/localizador/envios/detalle?tracking-number={n}"),
    Carrier("seur", "SEUR", "Seur", ("SEUR 24",)),
    Carrier("poste_italiane", "Poste Italiane", "Poste Italiane", ("Poste Delivery Standard",)),
    Carrier("yamato", "Yamato", "YAMATO", ("TA-Q-BIN", "Nekopos"), "https://jizen.kuronekoyamato.co.jp/jizen/servlet/crjz.b.NQ0010?id={n}"),
    Carrier("sagawa", "Sagawa", "SAGAWA", ("Hikyaku Express",), "https://k2k.sagawa-exp.co.jp/p/web/okurijosearch.do?okurijoNo={n}"),
    Carrier("japan_post", "Japan Post", "Japan Post", ("Yu-Pack", "Yu-Packet"), "https://trackings.post.japanpost.jp/services/srv/search/direct?locale=en&reqCodeNo1={n}"),
)  # fmt: skip
OTHER = Carrier("other", "Other", "Other")
BY_CODE = {carrier.code: carrier for carrier in (*ALL, OTHER)}
CHOICES = [(carrier.code, carrier.name) for carrier in ALL]


def named(code: str) -> Carrier:
    """The carrier of a code; an unknown code is a carrier of that name that Amazon has no code for."""
    return BY_CODE.get(code) or Carrier(code, code, "Other")
