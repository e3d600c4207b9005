"""A production with anything unsafe does not start, and says what to change: a failing setting for every check."""

import base64
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings as real
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.core.checks import run_checks
from django.db import connection

from orderhub.checks import machine, product, rules
from orderhub.starting import problems

pytestmark = pytest.mark.filterwarnings("ignore:Overriding setting DATABASES")
KEY = base64.b64encode(bytes(range(32))).decode()
POSTGRES = {
    "ENGINE": "django.db.backends.postgresql",
    "HOST": "db.example.com",
    "OPTIONS": {"sslmode": "verify-full", "server_side_binding": True},
}
SECRET = "".join(map(chr, range(48, 110)))


@pytest.fixture
def production(settings, tmp_path, monkeypatch):
    """Settings production would accept, as the README has them."""
    for name in ("PYTHONHASHSEED", "DEMO_DIR", "DEMO_DATABASE_URL", "TEST_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    tmp_path.chmod(0o750)
    settings.PRODUCTION, settings.DEBUG = True, False
    for name in settings.STAND_INS:
        setattr(settings, name, "")
    settings.ALLOWED_HOSTS, settings.CSRF_TRUSTED_ORIGINS = ["orders.example.com"], ["https://orders.example.com"]
    settings.DATABASES = {"default": POSTGRES}
    settings.SECRET_KEY, settings.FIELD_ENCRYPTION_KEYS = SECRET, ["2026:" + KEY]
    settings.VAR_DIR, settings.MEDIA_ROOT, settings.STATIC_ROOT = tmp_path, tmp_path / "media", tmp_path / "static"
    settings.AUDIT_HEADS_FILE = str(tmp_path / "heads.jsonl")
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = settings.SECURE_SSL_REDIRECT = True
    settings.SECURE_HSTS_SECONDS, settings.SECURE_HSTS_INCLUDE_SUBDOMAINS = 31536000, True
    settings.EMAIL_BACKEND, settings.EMAIL_HOST = "django.core.mail.backends.smtp.EmailBackend", "mail.example.com"
    settings.EMAIL_USE_TLS = True
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]
    settings.CLOCK_SOURCE, settings.INCIDENT_CONTACT = "database", "privacy@shop.example"
    settings.REQUIRE_SECOND_FACTOR, settings.KILLSWITCH_POLL_S = True, 2
    return settings


def told() -> dict[str, str]:
    """What the rules say of the settings as they are, by id."""
    found = {name: rule() for name, rule in rules.RULES.items()}
    return {name: text for name, text in found.items() if text}


def storage(**options):
    return lambda given: (
        given.STORAGES
        | {"labels": {**given.STORAGES["labels"], "OPTIONS": {**given.STORAGES["labels"]["OPTIONS"], **options}}}
    )


UNSAFE = [
    (10, {"SESSION_COOKIE_SECURE": False}),
    (10, {"CSRF_COOKIE_SECURE": False}),
    (11, {"SESSION_COOKIE_HTTPONLY": False}),
    (12, {"SESSION_COOKIE_SAMESITE": "None"}),
    (12, {"CSRF_COOKIE_SAMESITE": None}),
    (13, {"SECURE_HSTS_SECONDS": 3600}),
    (13, {"SECURE_HSTS_INCLUDE_SUBDOMAINS": False}),
    (14, {"SECURE_SSL_REDIRECT": False}),
    (15, {"SESSION_COOKIE_AGE": 13 * 3600}),
    (16, {"SESSION_ENGINE": "django.contrib.sessions.backends.signed_cookies"}),
    (16, {"SESSION_SERIALIZER": "tests.PickleSerializer"}),
    (17, {"CSRF_TRUSTED_ORIGINS": ["http://orders.example.com"]}),
    (17, {"CSRF_TRUSTED_ORIGINS": ["https://*.example.com"]}),
    (18, {"X_FRAME_OPTIONS": "SAMEORIGIN"}),
    (18, {"SECURE_REFERRER_POLICY": "unsafe-url"}),
    (19, {"MIDDLEWARE": lambda given: [name for name in given.MIDDLEWARE if "SecurityHeaders" not in name]}),
    (19, {"MIDDLEWARE": lambda given: list(reversed(given.MIDDLEWARE))}),
    (22, {"DATA_UPLOAD_MAX_MEMORY_SIZE": None}),
    (22, {"DATA_UPLOAD_MAX_NUMBER_FIELDS": 100_000}),
    (23, {"USE_X_FORWARDED_HOST": True}),
    (30, {"SECRET_KEY": "django-insecure-" + SECRET}),
    (30, {"SECRET_KEY": "only-for-tests" * 5}),
    (31, {"FIELD_ENCRYPTION_KEYS": ["a:" + base64.b64encode(b"a" * 32).decode()]}),
    (32, {"FIELD_ENCRYPTION_KEYS": ["a:" + base64.b64encode(SECRET.encode()[:32]).decode()]}),
    (32, {"SECRET_KEY": KEY + "x" * 20, "FIELD_ENCRYPTION_KEYS": ["a:" + KEY]}),
    (33, {"FIELD_ENCRYPTION_KEYS": ["a:" + KEY, "b:" + KEY]}),
    (34, {"SECRET_KEY_FALLBACKS": ["short"]}),
    (35, {"PASSWORD_HASHERS": ["django.contrib.auth.hashers.MD5PasswordHasher"]}),
    (36, {"AUTH_PASSWORD_VALIDATORS": []}),
    (40, {"DATABASES": {"default": POSTGRES | {"OPTIONS": {"sslmode": "require", "server_side_binding": True}}}}),
    (40, {"DATABASES": {"default": POSTGRES | {"HOST": "127.0.0.1", "OPTIONS": {"server_side_binding": True}}}}),
    (41, {"DATABASES": {"default": POSTGRES | {"OPTIONS": {"sslmode": "verify-full"}}}}),
    (43, {"STORAGES": lambda given: storage(location=str(given.STATIC_ROOT / "labels"))(given)}),
    (44, {"STORAGES": storage(file_permissions_mode=0o644)}),
    (45, {"EMAIL_BACKEND": "django.core.mail.backends.console.EmailBackend"}),
    (45, {"EMAIL_BACKEND": "django.core.mail.backends.filebased.EmailBackend"}),
    (46, {"EMAIL_USE_TLS": False}),
    (47, {"CLOCK_SOURCE": "system"}),
    (62, {"REST_FRAMEWORK": {"DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.BrowsableAPIRenderer"], "DEFAULT_PERMISSION_CLASSES": []}}),
    (62, {"REST_FRAMEWORK": {}}),
    (63, {"LOGGING_CONFIG": "logging.config.dictConfig"}),
    (64, {"LOG_LEVEL": "debug"}),
    (65, {"ADMINS": [("a", "a@example.com")]}),
    (66, {"TEMPLATES": lambda given: [given.TEMPLATES[0] | {"OPTIONS": {"debug": True}}]}),
    (67, {"RETENTION_SHIPPED_DAYS": 31}),
    (67, {"RETENTION_LABEL_DAYS": 45}),
    (67, {"RETENTION_UNSHIPPED_DAYS": 0}),
    (68, {"LOG_RETENTION_MONTHS": 11}),
    (68, {"LOG_RETENTION_MONTHS": 13}),
    (69, {"REDACT_POSTCODE": "no"}),
    (70, {"INCIDENT_CONTACT": ""}),
    (71, {"TIME_ZONE": "Europe/Paris"}),
    (72, {"LANGUAGE_CODE": "xx"}),
    (73, {"KILLSWITCH_POLL_S": 60}),
    (74, {"RETENTION_NON_PII_MONTHS": 19}),
    (74, {"RETENTION_NON_PII_MONTHS": 0}),
    (75, {"LEGAL_HOLD": "because I said so"}),
    (76, {"FISCAL_YEAR_END_MONTH": 0}),
]  # fmt: skip


def test_g21_the_documented_production_passes_every_rule(production):
    assert told() == {}


@pytest.mark.parametrize(
    ("number", "change"), UNSAFE, ids=[f"E{number:03}-{next(iter(change))}" for number, change in UNSAFE]
)
def test_g21_an_unsafe_setting_is_refused_and_named(production, number, change):
    for name, value in change.items():
        setattr(production, name, value(production) if callable(value) else value)
    found = told()
    assert f"orderhub.E{number:03}" in found
    assert next(iter(change)).removesuffix("S") in found[f"orderhub.E{number:03}"] or number in {
        19,
        40,
        41,
        43,
        44,
        45,
        46,
    }


def test_g21_every_rule_has_a_setting_that_fails_it():
    elsewhere = {31, 42, 48, 49, 50, 60, 61}
    assert {int(name[-3:]) for name in rules.RULES} == {number for number, _change in UNSAFE} | elsewhere
    assert len(rules.RULES) >= 25


def test_rules_of_production_leave_a_development_alone(settings):
    assert not settings.PRODUCTION and settings.INCIDENT_CONTACT == ""
    assert [error.id for error in run_checks(tags=["security"]) if error.id.startswith("orderhub.")] == []


def test_a_demo_s_own_keys_are_refused(production, tmp_path):
    file = tmp_path / "secrets.json"
    file.write_text(json.dumps({"secret_key": SECRET, "field_key": KEY}))
    file.chmod(0o600)
    assert set(told()) == {"orderhub.E030", "orderhub.E031"}


@pytest.mark.parametrize("name", ["PYTHONHASHSEED", "DEMO_DIR", "TEST_DATABASE_URL"])
def test_a_variable_of_tests_and_demos_is_refused(production, monkeypatch, name):
    monkeypatch.setenv(name, "0")
    assert set(told()) == {"orderhub.E048" if name == "PYTHONHASHSEED" else "orderhub.E049"}


def test_files_that_others_can_read_are_refused_and_named(production, monkeypatch, tmp_path):
    monkeypatch.setattr(Path, "parents", [])  # whatever the folders above this test's are like
    assert told() == {}
    labels = tmp_path / "media" / "labels"
    labels.mkdir(parents=True)
    (tmp_path / "media").chmod(0o700)
    labels.chmod(0o705)
    assert str(labels) in told()["orderhub.E042"] and str(tmp_path / "media,") not in told()["orderhub.E042"]


def test_a_folder_nobody_else_can_enter_hides_what_is_in_it(production, tmp_path):
    labels = tmp_path / "media" / "labels"
    labels.mkdir(parents=True)
    labels.chmod(0o755)
    assert "orderhub.E042" not in told()


def test_a_tool_of_developers_is_refused(production, monkeypatch):
    monkeypatch.setattr(product, "DEVELOPERS", {"debug_toolbar", "rest_framework"})
    assert told() == {"orderhub.E060": "INSTALLED_APPS: remove rest_framework."}


def test_a_form_for_what_runs_code_is_refused(production):
    admin.site.register(Permission)
    try:
        assert "auth.permission" in told()["orderhub.E061"]
    finally:
        admin.site.unregister(Permission)


@pytest.mark.django_db
def test_l20_a_database_that_logs_values_is_told_of(production):
    if connection.vendor != "postgresql":
        assert machine.database_logs_no_values(None) == []
        return
    with connection.cursor() as cursor:
        for name, (_good, best) in machine.QUIET.items():
            cursor.execute(f"SET LOCAL {name} = '{best}'")
        assert machine.database_logs_no_values(None) == []
        cursor.execute("SET LOCAL log_min_error_statement = 'error'")
    found = machine.database_logs_no_values(None)
    assert found[0].id == "orderhub.W001" and found[0].msg.endswith("Set: log_min_error_statement = panic.")


@pytest.mark.django_db
def test_l49_statements_hold_no_values_on_postgresql():
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no view of statements")
    with connection.cursor() as cursor:
        cursor.execute("SELECT query, %s::text FROM pg_stat_activity WHERE pid = pg_backend_pid()", ["ZQCANARYQZ"])
        query, value = cursor.fetchone()
    assert value == "ZQCANARYQZ" and "ZQCANARYQZ" not in query


# -- what really starts

SAFE = {
    "ORDERHUB_ENV": "production", "SECRET_KEY": SECRET, "FIELD_ENCRYPTION_KEYS": "2026:" + KEY,
    "ALLOWED_HOSTS": "orders.example.com", "DATABASE_URL": "postgres://u:p@/nobody?host=/nowhere&sslmode=verify-full",
    "LWA_CLIENT_ID": "id", "LWA_CLIENT_SECRET": "given", "EMAIL_URL": "smtp+tls://u:p@mail.example.com:587",
    "INCIDENT_CONTACT": "privacy@shop.example",
}  # fmt: skip


def start(tmp_path, *command: str, **changes: str) -> subprocess.CompletedProcess:
    kept = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG", "VIRTUAL_ENV"}}
    env = kept | SAFE | {"VAR_DIR": str(tmp_path / "var")} | changes
    return subprocess.run(
        [sys.executable, *command], cwd=real.BASE_DIR, env=env, capture_output=True, text=True, timeout=120
    )


@pytest.mark.long
def test_g21_the_documented_production_has_no_warning(tmp_path):
    done = start(tmp_path, "manage.py", "check", "--deploy", "--tag", "security", "--fail-level", "WARNING")
    assert done.returncode == 0 and "no issues" in done.stdout, done.stderr


@pytest.mark.long
@pytest.mark.parametrize("door", [("-c", "import orderhub.wsgi"), ("manage.py", "qcluster")], ids=["web", "worker"])
def test_an_unsafe_production_starts_neither_web_nor_worker(tmp_path, door):
    done = start(tmp_path, *door, INCIDENT_CONTACT="", SECRET_KEY="short")
    assert done.returncode != 0
    assert "INCIDENT_CONTACT must say" in done.stderr and "SECRET_KEY must be" in done.stderr
    assert "Traceback" not in done.stderr and "short" not in done.stderr.replace("shorten", "")


@pytest.mark.django_db
def test_problems_are_the_errors_of_every_check(production):
    production.INCIDENT_CONTACT = ""
    assert "orderhub.E070" in {problem.id for problem in problems()}
