"""What the simulated sellers sell. Prices are in the marketplace's currency."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True)
class Product:
    sku: str
    asin: str
    titles: dict[str, str]  # language to title
    price: Decimal  # in dollars; other currencies by factor
    digital: bool = False
    custom: bool = False

    def title(self, language: str) -> str:
        return self.titles.get(language, self.titles["en"])


def _product(number: int, price: str, en: str, fr: str = "", ja: str = "", **more: bool) -> Product:
    titles = {"en": en, **({"fr": fr} if fr else {}), **({"ja": ja} if ja else {})}
    return Product(f"ML-{number:04d}", f"B0SIM{number:05d}", titles, Decimal(price), **more)


PRODUCTS = (
    _product(
        101,
        "24.90",
        "Walnut desk tray, two compartments",
        "Plateau de bureau en noyer",
        "くるみ材のデスクトレー",
    ),
    _product(102, "12.50", "Linen tea towel, set of 3", "Torchons en lin, lot de 3", "リネンのキッチンクロス 3枚組"),
    _product(
        103,
        "39.00",
        "Enamel kettle 1.2 l, sage",
        "Bouilloire émaillée 1,2 l, sauge",
        "ホーローやかん 1.2L セージ",
    ),
    _product(104, "8.95", "Beeswax candle, hand dipped", "Bougie en cire d'abeille", "みつろうキャンドル"),
    _product(105, "64.00", "Wool blanket 130 x 180 cm", "Plaid en laine 130 x 180 cm", "ウールブランケット"),
    _product(106, "17.25", "Brass key hook", "Crochet à clés en laiton", "真鍮のキーフック"),
    _product(107, "29.90", "Stoneware mug, pair, Nº 7 “Dawn”", "Tasses en grès, la paire", "陶器のマグカップ 2個"),
    _product(108, "5.40", "Cotton twine 200 m", "Ficelle de coton 200 m", "コットンの麻ひも 200m"),
    _product(109, "48.00", "Oak chopping board", "Planche à découper en chêne", "オークのまな板"),
    _product(
        110,
        "21.00",
        "Notebook cover, vegetable tanned leather",
        "Couverture de carnet en cuir",
        "革のノートカバー",
    ),
)
CUSTOM = _product(201, "34.00", "Engraved name plate, oak", "Plaque gravée en chêne", "名入れ表札 オーク", custom=True)
DIGITAL = _product(301, "9.00", "Knitting pattern “Harbour” (PDF download)", digital=True)

_FACTORS = {"USD": "1", "CAD": "1.35", "MXN": "18", "EUR": "0.95", "JPY": "150"}
_LANGUAGES = {"FR": "fr", "JP": "ja"}


def price_in(product: Product, currency: str) -> Decimal:
    places = Decimal(1) if currency == "JPY" else Decimal("0.01")
    return (product.price * Decimal(_FACTORS[currency])).quantize(places)


def title_for(product: Product, marketplace: str) -> str:
    return product.title(_LANGUAGES.get(marketplace, "en"))
