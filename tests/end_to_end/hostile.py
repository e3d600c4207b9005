"""Sixty texts that somebody may put into a name, a title or a gift message, and what a page may make of them: text."""

from html.parser import HTMLParser

# Whatever gets a browser to ask for this address, or to write it anywhere but as text, is a hole.
BAIT = "/pwned"
PAYLOADS = (
    f"<script src={BAIT}/01></script>",
    f"<script>fetch('{BAIT}/02')</script>",
    f"<ScRiPt/src='{BAIT}/03'></sCrIpT>",
    f"</script><script src={BAIT}/04></script>",
    f"</title><script src={BAIT}/05></script>",
    f"</textarea><img src={BAIT}/06>",
    f"--><img src={BAIT}/07>",
    f"]]><img src={BAIT}/08>",
    f"<img src={BAIT}/09 onerror=alert(1)>",
    f"<img src=x onerror=fetch('{BAIT}/10')>",
    f"<svg onload=fetch('{BAIT}/11')>",
    f"<svg><image href={BAIT}/12 /></svg>",
    f"<svg><script href={BAIT}/13></script></svg>",
    f"<iframe src={BAIT}/14></iframe>",
    f"<object data={BAIT}/15></object>",
    f"<embed src={BAIT}/16>",
    f"<link rel=stylesheet href={BAIT}/17>",
    f"<style>@import '{BAIT}/18';</style>",
    f"<meta http-equiv=refresh content='0;url={BAIT}/19'>",
    "<base href=//elsewhere.invalid/>",
    f"<form action={BAIT}/21><button>OK</button></form>",
    f"<input autofocus onfocus=fetch('{BAIT}/22')>",
    f"<details open ontoggle=fetch('{BAIT}/23')>",
    f"<math><mtext><img src={BAIT}/24></mtext></math>",
    f"<a href=javascript:fetch('{BAIT}/25')>open</a>",
    f'"><img src={BAIT}/26>',
    f"'><img src={BAIT}/27>",
    f'" autofocus onfocus="fetch(\'{BAIT}/28\')',
    f"' onmouseover='fetch(`{BAIT}/29`)",
    f"`-fetch('{BAIT}/30')-`",
    f"'-fetch('{BAIT}/31')-'",
    f"';fetch('{BAIT}/32')//",
    f"\\';fetch('{BAIT}/33')//",
    f"javascript:fetch('{BAIT}/34')",
    "{{ settings.SECRET_KEY }}",
    "{% load static %}{% debug %}",
    "${7*7} #{7*7} <%= 7*7 %>",
    "{0} {0.__class__} %s %(password)s %n",
    "&lt;img src=/pwned/39&gt; &amp;lt; &#x3c;",
    f"line one\r\nSet-Cookie: pwned=40\r\n\r\n<img src={BAIT}/40>",
    "\x1b[31mred\x1b[0m\x1b]0;title\x07 bell",
    'x"}\n{"event":"login","level":"INFO"',
    "\u202emoc.live\u202c \u2066isolated\u2069",
    "zero\u200bwidth\u200c\u200d\ufeffspaces",
    "nul\x00in the middle",
    "lone \ud83d surrogate \udc00",
    "B" * 1_000_000,
    "Z\u0351\u036b\u0343\u036a\u0302\u036b\u033d" * 60,
    "=HYPERLINK(\"http://elsewhere.invalid\",\"open\")",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "Robert'); DROP TABLE orders_order;--",
    "../../../../etc/passwd",
    "^XA^FO50,50^A0N,50,50^FDowned^FS^XZ",
    "\u05e9\u05dc\u05d5\u05dd \u0639\u0645\u064a\u0644 \u0627\u0644\u0639\u0646\u0648\u0627\u0646",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466 \U0001f3f4\U000e0067\U000e0062\U000e007f",
    "\u00a0\u2003\u3000\u2028\u2029 unusual \u1680 spaces",
    "Donaudampfschifffahrtsgesellschaftskapitaen" * 11,
    '{"orderId": null, "a": [1, 2, {}]}',
    "__import__('os').system('true') or None",
    "null undefined NaN true -1 1e309 0x1F",
)  # fmt: skip
HANDLERS = "on"
LINKS = ("href", "src", "action", "formaction", "data")


class Shape(HTMLParser):
    """What a page is made of: `tags` with the names of their attributes, `links`, and its `text`."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: set[tuple[str, tuple[str, ...]]] = set()
        self.links: set[str] = set()
        self._text: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.add((tag, tuple(sorted(name for name, _value in attrs))))
        self.links |= {value or "" for name, value in attrs if name in LINKS}

    def handle_data(self, data):
        self._text.append(data)

    @property
    def text(self) -> str:
        return "".join(self._text)

    def faults(self) -> list[str]:
        """What no page of ours ever holds."""
        wrong = [f"handler on {tag}" for tag, names in self.tags if any(n.startswith(HANDLERS) for n in names)]
        wrong += [f"link {link[:60]}" for link in self.links if link.lower().lstrip().startswith(("javascript:", BAIT))]
        return wrong + [f"style on {tag}" for tag, names in self.tags if "style" in names]
