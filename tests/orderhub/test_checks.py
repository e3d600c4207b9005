"""What must hold before anything starts."""

import base64

import pytest
from django.core.checks import run_checks

from orderhub import checks, failpoints

pytestmark = pytest.mark.filterwarnings("ignore:Overriding setting DATABASES")
QUEUE = {
    "timeout": 60, "retry": 300, "workers": 1, "queue_limit": 1, "bulk": 1, "ack_failures": True, "max_attempts": 1,
    "catch_up": False, "orm": "default",
}  # fmt: skip


@pytest.fixture
def production(settings):
    """Settings production would accept."""
    settings.PRODUCTION, settings.DEBUG = True, False
    for name in settings.STAND_INS:
        setattr(settings, name, "")
    settings.ALLOWED_HOSTS = ["orders.example.com"]
    settings.DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql", "OPTIONS": {}}}
    settings.LWA_CLIENT_ID = settings.LWA_CLIENT_SECRET = "given"
    settings.SECRET_KEY = "".join(map(chr, range(48, 110)))
    settings.FIELD_ENCRYPTION_KEYS = ["2026:" + base64.b64encode(bytes(range(32))).decode()]
    return settings


def ids(check) -> list[str]:
    return [error.id for error in check(None)]


def test_the_settings_as_they_are_pass():
    assert [error for error in run_checks(tags=["security"]) if error.id.startswith("orderhub.")] == []


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"retry": 299}, "retry must be at least 300"),
        ({"timeout": 150, "retry": 300}, "retry must be at least 450"),
        ({"bulk": 5}, "bulk"),
        ({"queue_limit": 2}, "queue_limit"),
        ({"ack_failures": False}, "ack_failures"),
        ({"max_attempts": 0}, "max_attempts"),
        ({"max_attempts": 3}, "max_attempts"),
        ({"catch_up": True}, "catch_up"),
        ({"orm": "other"}, "default database"),
        ({"orm": None}, "default database"),
    ],
)
def test_q1_q8_a_wrong_queue_setting_is_refused_and_named(settings, change, says):
    settings.Q_CLUSTER = QUEUE | change
    found = checks.queue_is_pinned(None)
    assert [error.id for error in found] == ["orderhub.E001"] * len(found)
    assert any(says in error.msg for error in found)


@pytest.mark.parametrize("gone", sorted(set(QUEUE) - {"orm"}))
def test_q8_a_queue_setting_left_to_its_default_is_refused(settings, gone):
    settings.Q_CLUSTER = {name: value for name, value in QUEUE.items() if name != gone}
    assert set(ids(checks.queue_is_pinned)) == {"orderhub.E001"}


def test_a_connection_pool_is_refused(settings):
    settings.DATABASES["default"].setdefault("OPTIONS", {})
    settings.DATABASES = {"default": settings.DATABASES["default"] | {"OPTIONS": {"pool": True}}}
    assert ids(checks.queue_is_pinned) == ["orderhub.E001"]


BEYOND = [
    "https://elsewhere.example", "http://10.0.0.1", "http://127.0.0.1.elsewhere.example", "http://[::2]",
    "http://127.0.0.1@elsewhere.example", "http://localhost:1@elsewhere.example", "http://localhost.elsewhere.example",
    "http://elsewhere.example/?127.0.0.1", "http://elsewhere.example#localhost", "http://elsewhere.example\\@localhost.b",
    "http://169.254.169.254/latest/meta-data", "http://0.0.0.0", "http://[fe80::1]", "http://2852039166",
    "http://0x0a000001", "http://012.0.0.1", "http://ｌocalhost", "http://localhost.", "//localhost", "localhost",
]  # fmt: skip


@pytest.mark.parametrize("name", ["SPAPI_BASE_URL", "LWA_TOKEN_URL", "SELLER_CENTRAL_BASE_URL", "BIGCOMMERCE_BASE_URL"])
@pytest.mark.parametrize("url", BEYOND, ids=range(len(BEYOND)))
def test_b08_a_stand_in_beyond_this_machine_is_refused(settings, name, url):
    setattr(settings, name, url)
    assert ids(checks.stand_ins_are_loopback) == ["orderhub.E002"]


@pytest.mark.parametrize("url", ["http://127.0.0.1:8787", "http://localhost:1", "http://[::1]:1"])
def test_a_stand_in_on_this_machine_is_taken_but_never_in_production(settings, production, url):
    production.SPAPI_BASE_URL = url
    assert ids(checks.stand_ins_are_loopback) == ["orderhub.E002"]
    production.PRODUCTION = False
    assert ids(checks.stand_ins_are_loopback) == []


def test_production_refuses_a_failpoint(production, monkeypatch):
    assert ids(checks.no_failpoint_in_production) == []
    monkeypatch.setenv(failpoints.ENV, "")
    assert ids(checks.no_failpoint_in_production) == ["orderhub.E003"]


@pytest.mark.parametrize(
    "change",
    [
        {"DEBUG": True},
        {"ALLOWED_HOSTS": []},
        {"ALLOWED_HOSTS": ["*"]},
        {"DATABASES": {"default": {"ENGINE": "django.db.backends.sqlite3"}}},
        {"LWA_CLIENT_ID": ""},
        {"LWA_CLIENT_SECRET": ""},
        {"SECRET_KEY": "short"},
        {"SECRET_KEY": "x" * 60},
        {"FIELD_ENCRYPTION_KEYS": ["abc"]},
        {"FIELD_ENCRYPTION_KEYS": ["a:" + base64.b64encode(b"short").decode()]},
        {"FIELD_ENCRYPTION_KEYS": []},
    ],
)
def test_production_refuses_unsafe_settings(production, change):
    assert ids(checks.production_is_safe) == []
    for name, value in change.items():
        setattr(production, name, value)
    assert ids(checks.production_is_safe) == ["orderhub.E004"]


def test_an_armed_failpoint_raises_at_its_own_place_and_visit_only(monkeypatch):
    monkeypatch.setattr(failpoints, "_visits", type(failpoints._visits)())
    monkeypatch.setenv(failpoints.ENV, "notify.after_send:raise:2")
    failpoints.reach("notify.after_claim")
    failpoints.reach("notify.after_send")
    with pytest.raises(failpoints.Failpoint):
        failpoints.reach("notify.after_send")
    failpoints.reach("notify.after_send")
