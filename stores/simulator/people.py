"""Invented people and places. Names are made up, towns and postal codes belong together.

Phones: ranges kept free for fiction (North America 555-01xx, France 01 99 00, Germany 030 23125); where a
country keeps none, a number whose exchange cannot be dialled (Spain +34 555, Mexico 000, Japan 03-0000).
"""

import random
from dataclasses import dataclass

from stores.simulator.orders import SimAddress


@dataclass(frozen=True)
class Region:
    given: tuple[str, ...]
    family: tuple[str, ...]
    towns: tuple[tuple[str, str, str], ...]  # city, state or region, postal code
    streets: tuple[str, ...]
    companies: tuple[str, ...]
    phone: str
    phones: int = 100


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_US = Region(
    given=_words("Ada Bram Cleo Dorian Elsie Fenn Greta Hollis Ines Jonah Kit Lorna Miles Nell Otis Pia Quinn"),
    family=_words("Ashgrove Bellweather Cindermoor Dunlarch Elmsworthy Fairquill Gladdock Hobblethorn"),
    towns=(
        ("Portland", "OR", "97205"),
        ("Austin", "TX", "78701"),
        ("Madison", "WI", "53703"),
        ("Denver", "CO", "80202"),
        ("Seattle", "WA", "98101"),
        ("Boston", "MA", "02108"),
        ("Atlanta", "GA", "30303"),
        ("Chicago", "IL", "60601"),
        ("Phoenix", "AZ", "85004"),
        ("Nashville", "TN", "37203"),
        ("Honolulu", "HI", "96813"),
        ("San Juan", "PR", "00901"),
    ),
    streets=(
        "{n} Lanternwick Street",
        "{n} Old Quarry Road",
        "{n} Pebblebrook Avenue",
        "{n} NW Juniper Court",
    ),
    companies=("Tinderbox Studio LLC", "Copperfern Supply Co.", "Harrowgate Print Works Inc."),
    phone="+1 503-555-01{k:02d}",
)
_CA = Region(
    given=_words("Amélie Brynn Cédric Delphine Ewan Florence Gaston Hazel Isla Jules Maëlle Nolan Odette"),
    family=_words("Boisclairval Corbeauderie Driftmoor Larkenfield Montfroissy Pinebarrow Quillfeather"),
    towns=(
        ("Toronto", "ON", "M5V 2T6"),
        ("Montréal", "QC", "H2Y 1C6"),
        ("Vancouver", "BC", "V6B 1A1"),
        ("Calgary", "AB", "T2P 1J9"),
        ("Halifax", "NS", "B3J 1S9"),
        ("Québec", "QC", "G1R 4P5"),
    ),
    streets=("{n} Tamarack Lane", "{n} rue des Ormeaux", "{n} Granite Harbour Road"),
    companies=("Fonderie Bleu-Nord inc.", "Larkspur Outfitting Ltd."),
    phone="+1 604-555-01{k:02d}",
)
_MX = Region(
    given=_words("Abril Benicio Citlali Damián Eréndira Fausto Itzel Joaquín Lucía Nayeli Octavio Ximena"),
    family=_words("Arcocielo Brisamonte Campoluna Dulcearena Florezuela Nubeverde Piedranube Solargüero"),
    towns=(
        ("Guadalajara", "Jalisco", "44100"),
        ("Monterrey", "Nuevo León", "64000"),
        ("Mérida", "Yucatán", "97000"),
        ("Puebla", "Puebla", "72000"),
        ("Ciudad de México", "CDMX", "06000"),
    ),
    streets=("Calle Colibrí {n}", "Avenida de los Nogales {n}", "Privada Jacaranda {n}"),
    companies=("Taller Nubeverde S.A. de C.V.",),
    phone="+52 000 555 01{k:02d}",
)
_FR = Region(
    given=_words("Anaïs Baptiste Clémence Désiré Éloïse Félix Garance Hélène Jérôme Léonie Maël Noémie Zoé"),
    family=_words("Aubeclaire Brumelande Champrosier Doucefontaine Épinevive Fougeroux L'Hermitel Mirebrume"),
    towns=(
        ("Lyon", "", "69002"),
        ("Nantes", "", "44000"),
        ("Lille", "", "59000"),
        ("Bordeaux", "", "33000"),
        ("Strasbourg", "", "67000"),
        ("Rennes", "", "35000"),
    ),
    streets=("{n} rue du Puits-Fleuri", "{n} bis avenue des Tilleuls", "{n} impasse de la Grange"),
    companies=("Atelier Brumelande SARL", "Papeterie du Vieux Pont"),
    phone="+33 1 99 00 00 {k:02d}",
)
_DE = Region(
    given=_words("Annegret Bastian Clara Dörte Emil Friedrich Gönül Hanne Jürgen Käthe Lennart Mascha Sören"),
    family=_words("Ahornwinkel Drosselbach Eichenmüßig Fährenkamp Grünspecht Nebelhöfer Weißdornig"),
    towns=(
        ("Hamburg", "", "20095"),
        ("Leipzig", "", "04109"),
        ("München", "", "80331"),
        ("Köln", "", "50667"),
        ("Freiburg im Breisgau", "", "79098"),
    ),
    streets=("Lindenbogen {n}", "Am Alten Wehr {n}", "Kräutergasse {n}a", "Königsbrückenweg {n}"),
    companies=("Drosselbach Werkstatt GmbH",),
    phone="+49 30 23125 0{k:02d}",
)
_ES = Region(
    given=_words("Aitana Bruno Candela Dídac Estrella Gorka Íñigo Jimena Lluís Marisol Nerea Uxía"),
    family=_words("Almendralejos Brisaclara Castañuelo Doncelaguas Fontanera Montenublado Ribazulejo"),
    towns=(
        ("Madrid", "Madrid", "28013"),
        ("Valencia", "Valencia", "46002"),
        ("Sevilla", "Sevilla", "41001"),
        ("Bilbao", "Bizkaia", "48001"),
    ),
    streets=("Calle del Romero {n}", "Plaza de la Cigüeña {n}", "Avenida del Olivar {n}"),
    companies=("Talleres Castañuelo S.L.",),
    phone="+34 555 01 00 {k:02d}",
)
_JP = Region(
    given=_words("葵太 紬希 蓮司 凪沙 陽真里 朔也 詩織乃 湊人 ひなの カイト"),
    family=_words("霧ヶ谷 星野瀬 月守 花筏 雪代原 風見川 藍染崎"),
    towns=(
        ("渋谷区渋谷", "東京都", "150-0002"),
        ("大阪市北区梅田", "大阪府", "530-0001"),
        ("札幌市中央区北一条西", "北海道", "060-0001"),
        ("福岡市博多区博多駅前", "福岡県", "812-0011"),
        ("名古屋市中村区名駅", "愛知県", "450-0002"),
        ("", "神奈川県横浜市西区", "220-0011"),
    ),
    streets=("{k}丁目{n}番{m}号", "{k}-{n}-{m}", "{n}番地の1"),
    companies=("株式会社つきもり工房", "合同会社ほしのせ商会"),
    phone="03-0000-01{k:02d}",
)
REGIONS = {"US": _US, "CA": _CA, "MX": _MX, "FR": _FR, "DE": _DE, "ES": _ES, "JP": _JP}
_SECOND_LINES = {
    "US": ("Apt 4B", "Unit 12", "Suite 300"),
    "CA": ("app. 5", "Unit 208"),
    "MX": ("Int. 3, Col. Centro",),
    "FR": ("Bâtiment C, 3e étage", "Résidence Les Glycines"),
    "DE": ("Hinterhaus", "c/o Fährenkamp"),
    "ES": ("3.º izquierda",),
    "JP": ("コーポ月見101号室", "グランメゾン霧野　八〇二号"),
}


def full_name(source: random.Random, marketplace: str) -> str:
    region = REGIONS[marketplace]
    given, family = source.choice(region.given), source.choice(region.family)
    return f"{family} {given}" if marketplace == "JP" else f"{given} {family}"


def address(source: random.Random, marketplace: str, name: str) -> SimAddress:
    region = REGIONS[marketplace]
    city, state, postal_code = source.choice(region.towns)
    number = source.randrange(1, 30) if marketplace == "JP" else source.randrange(3, 990)
    second = source.choice(_SECOND_LINES[marketplace]) if source.random() < 0.35 else ""
    return SimAddress(
        name=name,
        line1=source.choice(region.streets).format(n=number, k=source.randrange(1, 6), m=source.randrange(1, 20)),
        line2=second,
        city=city,
        state=state,
        postal_code=postal_code,
        country=marketplace,
        phone=region.phone.format(k=source.randrange(region.phones)),
    )


def company(source: random.Random, marketplace: str) -> str:
    return source.choice(REGIONS[marketplace].companies)
