"""What support types for the simulator's invented addresses of Amazon.co.jp. A fixed list, no conversion of its own."""

import re
from datetime import datetime

from orders import roman
from orders.models import Order

READ_AS = {
    "葵太": "Aota", "紬希": "Tsumugi", "蓮司": "Renji", "凪沙": "Nagisa", "陽真里": "Himari", "朔也": "Sakuya",
    "詩織乃": "Shiorino", "湊人": "Minato", "ひなの": "Hinano", "カイト": "Kaito",
    "霧ヶ谷": "Kirigaya", "星野瀬": "Hoshinose", "月守": "Tsukimori", "花筏": "Hanaikada", "雪代原": "Yukishirohara",
    "風見川": "Kazamigawa", "藍染崎": "Aizomesaki",
    "株式会社つきもり工房": "Tsukimori Kobo K.K.", "合同会社ほしのせ商会": "Hoshinose Shokai G.K.",
    "渋谷区渋谷": "Shibuya, Shibuya-ku", "東京都": "Tokyo", "大阪市北区梅田": "Umeda, Kita-ku, Osaka-shi", "大阪府": "Osaka",
    "札幌市中央区北一条西": "Kita 1-jo Nishi, Chuo-ku, Sapporo-shi", "北海道": "Hokkaido",
    "福岡市博多区博多駅前": "Hakataekimae, Hakata-ku, Fukuoka-shi", "福岡県": "Fukuoka",
    "名古屋市中村区名駅": "Meieki, Nakamura-ku, Nagoya-shi", "愛知県": "Aichi",
    "神奈川県横浜市西区": "Nishi-ku, Yokohama-shi, Kanagawa",
    "コーポ月見101号室": "Corpo Tsukimi 101", "グランメゾン霧野　八〇二号": "Grand Maison Kirino 802",
}  # fmt: skip
BLOCKS = (
    (re.compile(r"(\d+)丁目(\d+)番(\d+)号"), r"\1-\2-\3"),
    (re.compile(r"(\d+)番地の(\d+)"), r"\1-\2"),
)


def fill_in(order: Order, *, by, now: datetime) -> None:
    """Write the order's address in Roman characters, where a label needs it. Safe to repeat."""
    if not roman.missing(order.person):
        return
    values = {twin: _typed(getattr(order.person, name)) for name, twin in roman.TWINS.items()}
    roman.write(order, values, by=by, now=now)


def _typed(text: str) -> str:
    """Blank where carriers can read it. A name's parts change places: the family comes first in Japan."""
    if roman.is_roman(text):
        return ""
    if text in READ_AS:
        return READ_AS[text]
    for pattern, written in BLOCKS:
        text = pattern.sub(written, text)
    return " ".join(READ_AS.get(part, part) for part in reversed(text.split()))
