"""Every answer, whatever it is: what browsers may do with it, who may keep it, and which request it was."""

import json
import re
from html.parser import HTMLParser

import pytest
from django.contrib.staticfiles import finders
from django.test import Client, override_settings

from orderhub.models import User
from privacy.access import ROLES
from shipments.models import Label
from tests.end_to_end.canary import Lines, _filled, _patterns
from tests.factories import make_shipment, make_user

pytestmark = pytest.mark.django_db
EVERYWHERE = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def all_addresses() -> list[str]:
    """Each route with the rows there are; with the id 1, and so perhaps a page of words, where there is none."""
    found = []
    for pattern, prefix in _patterns():
        found += _filled(pattern, prefix, 1) or [re.sub("<[^>]+>", "1", f"/{prefix}{pattern.pattern}")]
    return sorted(set(found))


def is_safe(answer) -> list[str]:
    """What is missing from an answer's head; nothing, it is hoped."""
    policy = answer.headers.get("Content-Security-Policy", "")
    wrong = [name for name, value in EVERYWHERE.items() if answer.headers.get(name) != value]
    wrong += ["Referrer-Policy"] * (answer.headers.get("Referrer-Policy") not in {"same-origin", "no-referrer"})
    wrong += ["frame-ancestors"] * ("frame-ancestors 'none'" not in policy)
    wrong += ["default-src"] * ("default-src 'none'" not in policy)
    wrong += ["unsafe"] * ("unsafe-" in policy or "*" in policy)
    wrong += ["Permissions-Policy"] * ("camera=()" not in answer.headers.get("Permissions-Policy", ""))
    wrong += ["X-Request-ID"] * (not re.fullmatch("[0-9a-f]{16}", answer.headers.get("X-Request-ID", "")))
    return wrong


@pytest.fixture
def label(noon) -> Label:
    return make_shipment().labels.get()


@pytest.fixture
def everybody(label) -> User:
    """Somebody with every right there is."""
    return make_user(*ROLES)


@pytest.fixture
def quiet(everybody) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(everybody)
    return client


def test_g20_b16_every_route_is_guarded_and_kept_by_nobody(quiet):
    opened = {address: quiet.get(address) for address in all_addresses() if "logout" not in address}
    statuses = [answer.status_code for answer in opened.values()]
    assert statuses.count(200) > 60 and opened.pop("/healthz").status_code == 503 and 500 not in statuses
    assert {address: wrong for address, answer in opened.items() if (wrong := is_safe(answer))} == {}
    keeps = {address for address, answer in opened.items() if "no-store" not in answer.headers.get("Cache-Control", "")}
    assert keeps == set()


def test_files_are_guarded_too(quiet, label):
    export = quiet.post("/admin/orders/order/export/")
    assert export.headers["Content-Type"].startswith("text/csv")
    assert label.shipment.order.order_number in b"".join(export.streaming_content).decode()
    drawn = quiet.get(f"/admin/shipments/shipment/label/{label.pk}/")
    assert drawn.headers["Content-Type"] == "application/pdf"
    for answer in (export, drawn):
        assert is_safe(answer) == [] and "no-store" in answer.headers["Cache-Control"]


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/admin/login/", 200), ("/healthz", 503), ("/nowhere/", 404), ("/admin/nowhere/", 302), ("/static/none.css", 404),
        ("/static/", 404), ("/.git/config", 404), ("/.env", 404), ("/var/secrets.json", 404), ("/media/labels/1.pdf", 404),
        ("/static/../orderhub/settings.py", 404), ("/static/%2e%2e/manage.py", 404), ("/schema/", 404), ("/admin/docs/", 302),
    ],
)  # fmt: skip
def test_b40_nothing_but_pages_is_served_and_every_answer_is_guarded(client, address, status):
    answer = client.get(address)
    assert answer.status_code == status and is_safe(answer) == []
    text = b"".join(answer.streaming_content) if answer.streaming else answer.content
    assert b"Traceback" not in text and b"Index of" not in text and b"DJANGO_SETTINGS_MODULE" not in text


def test_static_files_are_guarded(client):
    assert finders.find("orderhub/theme.css")
    answer = client.get("/static/orderhub/theme.css")
    assert answer.status_code == 200 and is_safe(answer) == []


def test_b40_a_bug_shows_no_trace_and_is_guarded(quiet, monkeypatch):
    def bug(*args, **kwargs):
        raise ValueError("ZQSECRETQZ")

    monkeypatch.setattr("orderhub.dashboard.board_for", bug)
    lines = Lines()
    before = lines.attach()
    try:
        answer = quiet.get("/admin/")
    finally:
        lines.detach(before)
    assert answer.status_code == 500 and is_safe(answer) == []
    assert "no-store" in answer.headers["Cache-Control"]
    assert b"ZQSECRETQZ" not in answer.content and b"Traceback" not in answer.content
    assert lines.lines and not [line for line in lines.lines if "ZQSECRETQZ" in line]


@pytest.mark.parametrize(
    "host", ["evil.example", "testserver.evil.example", "testserver:80@evil.example", "a\r\nb", ""]
)
def test_b23_a_host_that_is_not_ours_is_refused_before_anything_else(client, host):
    with override_settings(ALLOWED_HOSTS=["testserver"], SECURE_SSL_REDIRECT=True):
        answer = client.get("/admin/login/", headers={"host": host})
    assert answer.status_code == 400 and is_safe(answer) == []
    assert "Location" not in answer.headers and b"evil" not in answer.content


def test_b23_a_forwarded_host_changes_nothing(client):
    answer = client.get("/admin/", headers={"x-forwarded-host": "evil.example", "x-host": "evil.example"})
    assert answer.status_code == 302 and "evil" not in answer.headers["Location"]


def test_csrf_and_role_refusals_are_guarded(noon):
    client = Client(enforce_csrf_checks=True)
    client.force_login(make_user("Support"))
    for answer in (client.post("/language/", {"language": "fr"}), client.get("/admin/privacy/accesslog/")):
        assert answer.status_code == 403 and is_safe(answer) == []
        assert "no-store" in answer.headers["Cache-Control"]


def test_l43_signing_out_clears_what_the_browser_kept(client, noon):
    client.force_login(make_user("Support"))
    answer = client.post("/admin/logout/")
    assert answer.headers["Clear-Site-Data"] == '"cache", "storage"'
    assert "Clear-Site-Data" not in client.get("/admin/login/").headers


# -- request ids and lines


def lines_of(client, address: str, **given) -> tuple[object, list[dict]]:
    lines = Lines()
    before = lines.attach()
    try:
        answer = client.get(address, **given)
    finally:
        lines.detach(before)
    return answer, [json.loads(line) for line in lines.lines]


def test_b14_a_request_leaves_one_line_with_its_id_and_route_and_no_query(quiet):
    answer, lines = lines_of(quiet, "/admin/orders/order/?q=ZQCANARYQZ", headers={"x-request-id": "ZQFORGEDQZ"})
    told = [line for line in lines if line.get("event") == "request"]
    assert [(line["method"], line["route"], line["status"]) for line in told] == [("GET", "admin/orders/order/", "200")]
    assert told[0]["request_id"] == answer.headers["X-Request-ID"]
    assert "ZQ" not in json.dumps(lines)


def test_two_requests_have_two_ids(client):
    first, second = (client.get("/admin/login/").headers["X-Request-ID"] for _time in range(2))
    assert first != second


@pytest.mark.parametrize("hostile", ["a\r\nb", "a\x1b[31mb", "a\x00b", 'a","level":"INFO', "a\u2028b"])
def test_b31_a_typed_value_neither_breaks_nor_colours_a_line(client, hostile):
    _answer, lines = lines_of(client, "/admin/login/", data={"next": hostile}, headers={"user-agent": hostile})
    assert [line["event"] for line in lines if line["logger"] == "orderhub.requests"] == ["request"]
    raw = json.dumps(lines, ensure_ascii=False)
    assert not any(letter in raw for letter in "\r\n\x1b\x00\u2028")


# -- inputs of personal data


class Inputs(HTMLParser):
    """Fields into which something is typed, with whether the browser is told to keep and check nothing of it."""

    def __init__(self) -> None:
        super().__init__()
        self.form, self.found = {}, {}

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag == "form":
            self.form = given
        typed = tag == "textarea" or (
            tag == "input" and given.get("type", "text") in {"text", "email", "tel", "search"}
        )
        if typed and "name" in given:
            off = given.get("autocomplete") == "off" or self.form.get("autocomplete") == "off"
            checked = given.get("spellcheck") == "false" or self.form.get("spellcheck") == "false"
            self.found[given["name"]] = (off, checked)


def test_l44_nothing_typed_about_a_person_is_kept_or_checked_by_the_browser(quiet):
    """Every text field of every page about orders, customers and parcels: what is typed there may be about a buyer."""
    wrong, seen = set(), 0
    for address in all_addresses():
        if not address.startswith(("/admin/orders/", "/admin/shipments/")) or "/tag/" in address or "rule/" in address:
            continue
        answer = quiet.get(address)
        if (
            answer.status_code == 200
            and answer.headers["Content-Type"].startswith("text/html")
            and not answer.streaming
        ):
            parser = Inputs()
            parser.feed(answer.content.decode())
            seen += len(parser.found)
            wrong |= {(address, name) for name, told in parser.found.items() if told != (True, True)}
    assert seen > 40
    assert sorted(wrong) == []
