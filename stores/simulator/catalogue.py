"""What the simulated sellers sell. Prices are in the marketplace's currency."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any


@dataclass(frozen=True)
class Product:
    sku: str
    asin: str
    titles: dict[str, str]  # language to title
    price: Decimal  # in dollars; other currencies by factor
    grams: int = 250
    size_mm: tuple[int, int, int] = (200, 150, 60)  # length, width, height
    digital: bool = False

    def title(self, language: str) -> str:
        return self.titles.get(language, self.titles["en"])


def _product(number: int, price: str, en: str, fr: str = "", ja: str = "", **more: Any) -> Product:
    titles = {"en": en, **({"fr": fr} if fr else {}), **({"ja": ja} if ja else {})}
    return Product(f"ML-{number:04d}", f"B0SIM{number:05d}", titles, Decimal(price), **more)


PRODUCTS = (
    _product(
        101,
        "24.90",
        "Walnut desk tray, two compartments",
        "Plateau de bureau en noyer",
        "くるみ材のデスクトレー",
        grams=820,
        size_mm=(340, 220, 60),
    ),
    _product(
        102,
        "12.50",
        "Linen tea towel, set of 3",
        "Torchons en lin, lot de 3",
        "リネンのキッチンクロス 3枚組",
        grams=310,
    ),
    _product(
        103,
        "39.00",
        "Enamel kettle 1.2 l, sage",
        "Bouilloire émaillée 1,2 l, sauge",
        "ホーローやかん 1.2L セージ",
        grams=1150,
        size_mm=(240, 200, 220),
    ),
    _product(
        104,
        "8.95",
        "Beeswax candle, hand dipped",
        "Bougie en cire d'abeille",
        "みつろうキャンドル",
        grams=95,
        size_mm=(40, 40, 210),
    ),
    _product(
        105,
        "64.00",
        "Wool blanket 130 x 180 cm",
        "Plaid en laine 130 x 180 cm",
        "ウールブランケット",
        grams=1400,
        size_mm=(380, 300, 120),
    ),
    _product(106, "17.25", "Brass key hook", "Crochet à clés en laiton", "真鍮のキーフック", grams=180),
    _product(
        107,
        "29.90",
        "Stoneware mug, pair, Nº 7 “Dawn”",
        "Tasses en grès, la paire",
        "陶器のマグカップ 2個",
        grams=760,
        size_mm=(220, 120, 110),
    ),
    _product(108, "5.40", "Cotton twine 200 m", "Ficelle de coton 200 m", "綿のひも 200m", grams=240),
    _product(
        109,
        "48.00",
        "Oak chopping board",
        "Planche à découper en chêne",
        "オークのまな板",
        grams=1650,
        size_mm=(420, 280, 30),
    ),
    _product(
        110,
        "21.00",
        "Notebook cover, vegetable tanned leather",
        "Couverture de carnet en cuir",
        "革のノートカバー",
        grams=210,
    ),
)
CUSTOM = _product(201, "34.00", "Engraved name plate, oak", "Plaque gravée en chêne", "名入れ表札 オーク")
DIGITAL = _product(301, "9.00", "Knitting pattern “Harbour” (PDF download)", grams=0, digital=True)

_FACTORS = {"USD": "1", "CAD": "1.35", "MXN": "18", "EUR": "0.95", "JPY": "150"}
_LANGUAGES = {"FR": "fr", "JP": "ja"}


def price_in(product: Product, currency: str) -> Decimal:
    places = Decimal(1) if currency == "JPY" else Decimal("0.01")
    return (product.price * Decimal(_FACTORS[currency])).quantize(places)


def title_for(product: Product, marketplace: str) -> str:
    return product.title(_LANGUAGES.get(marketplace, "en"))


BY_ASIN = {product.asin: product for product in (*PRODUCTS, CUSTOM, DIGITAL)}
