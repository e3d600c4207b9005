"""Settings, all from the environment (or a `.env` file beside manage.py). `.env.example` lists every one."""

import json
import os
import secrets
from base64 import b64encode
from datetime import timedelta
from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
if (BASE_DIR / ".env").is_file():
    env.read_env(BASE_DIR / ".env")

# ---- What kind of installation this is
ORDERHUB_ENV = env.str("ORDERHUB_ENV", default="development")  # development | demo | production
PRODUCTION = ORDERHUB_ENV == "production"
DEBUG = env.bool("DEBUG", default=False)
VAR_DIR = Path(env.str("VAR_DIR", default=str(BASE_DIR / "var")))
VAR_DIR.mkdir(mode=0o750, parents=True, exist_ok=True)


def _local_secrets() -> dict:
    """Random secrets of a development or demo installation, made once and kept in a file only its owner reads."""
    path = VAR_DIR / "secrets.json"
    if not path.exists():
        values = {
            "secret_key": secrets.token_urlsafe(50),
            "field_key": b64encode(secrets.token_bytes(32)).decode(),
        }
        draft = path.with_suffix(f".{os.getpid()}")
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(values, file)
        try:
            os.link(draft, path)  # two processes starting together agree on one file
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return json.loads(path.read_text())


if PRODUCTION:
    SECRET_KEY = env.str("SECRET_KEY")
    FIELD_ENCRYPTION_KEYS = env.list("FIELD_ENCRYPTION_KEYS", default=[])
else:
    SECRET_KEY = env.str("SECRET_KEY", default="") or _local_secrets()["secret_key"]
    FIELD_ENCRYPTION_KEYS = env.list("FIELD_ENCRYPTION_KEYS", default=[]) or ["local:" + _local_secrets()["field_key"]]
FIELD_ENCRYPTION_KEYS_FILE = env.str("FIELD_ENCRYPTION_KEYS_FILE", default="")  # instead: one a line, mode 0600
KEY_PROVIDER = env.str(
    "KEY_PROVIDER",
    default="privacy.keys.FileKeys" if FIELD_ENCRYPTION_KEYS_FILE else "privacy.keys.EnvironmentKeys",
)
ENCRYPT_PERSONAL_DATA = env.bool("ENCRYPT_PERSONAL_DATA", default=True)
ALLOWED_HOSTS = env.list(
    "ALLOWED_HOSTS", default=[] if PRODUCTION else ["localhost", "127.0.0.1", "[::1]", "testserver"]
)
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

# ---- Applications
INSTALLED_APPS = [
    "orderhub",
    "orderhub.signin",
    "orderhub.webhooks",
    "privacy",
    "stores",
    "orders",
    "shipments",
    "orderhub.apps.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "django_q",
    "axes",
]
MIDDLEWARE = [
    "orderhub.requestids.RequestIds",
    "orderhub.middleware.SecurityHeaders",  # outside of what may answer by itself: redirects to https, refused hosts
    "orderhub.signin.addresses.ClientAddress",
    "orderhub.api.middleware.ApiDoor",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "privacy.middleware.ClosedAfterRestore",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "orderhub.signin.middleware.StaffAuthentication",
    "orderhub.middleware.StaffLanguage",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "privacy.middleware.EraseWhereNobodyElseDoes",
    "orderhub.signin.middleware.SessionRules",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "orderhub.urls"
WSGI_APPLICATION = "orderhub.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]
AUTH_USER_MODEL = "orderhub.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# ---- Signing in (numbers of Amazon's data protection policy)
AUTHENTICATION_BACKENDS = ["orderhub.signin.lockout.StaffBackend"]
REQUIRE_SECOND_FACTOR = env.bool("REQUIRE_SECOND_FACTOR", default=PRODUCTION)
PASSWORD_POLICY = env.str("PASSWORD_POLICY", default="dpp")  # dpp | asvs: without composition and yearly change
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "orderhub.signin.passwords.FourKinds"},
    {"NAME": "orderhub.signin.passwords.NoPartOfTheUserName"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "orderhub.signin.passwords.NotUsedBefore"},
]
PASSWORD_MIN_AGE = timedelta(days=1)
PASSWORD_MAX_AGE = timedelta(days=365)
LOCK_AFTER, LOCK_FOR = 5, timedelta(minutes=15)  # failures of one user name from one address
LOCK_AFTER_A_DAY, LOCK_FOR_A_DAY = 10, timedelta(hours=24)  # of one user name from anywhere
SESSION_IDLE, SESSION_LIFE = timedelta(minutes=30), timedelta(hours=12)
SESSIONS_A_USER, SESSIONS_IN_THE_WAREHOUSE = 3, 1
IDLE_ACCOUNT_AFTER = timedelta(days=90)
ADMIN_ALLOWLIST = env.list("ADMIN_ALLOWLIST", default=[])  # networks as 10.0.0.0/8; empty: everybody
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", default=0)  # how many of our own proxies stand before us
# The gate is axes', the counting is ours (orderhub/signin/lockout.py): by our clock, of hashed names, without bodies
AXES_HANDLER = "orderhub.signin.lockout.Handler"
AXES_LOCKOUT_CALLABLE = "orderhub.signin.views.locked"
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_FAILURE_LIMIT, AXES_COOLOFF_TIME = LOCK_AFTER, LOCK_FOR
AXES_ENABLE_ADMIN = AXES_VERBOSE = False
AXES_DISABLE_ACCESS_LOG = True

# ---- Database
DATABASES = {"default": env.db("DATABASE_URL", default=f"sqlite:///{VAR_DIR / 'orderhub.sqlite3'}")}
_database = DATABASES["default"]
_database["CONN_MAX_AGE"] = 60
_database.setdefault("OPTIONS", {})
if _database["ENGINE"].endswith("sqlite3"):
    _database["OPTIONS"] |= {
        "timeout": 20,
        "transaction_mode": "IMMEDIATE",
        # secure_delete: what is overwritten is gone from the file, not just from the table
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA secure_delete=ON;",
    }
    # A file, not memory: jobs, web server and tests of killed processes share it
    _database["TEST"] = {"NAME": str(VAR_DIR / "test.sqlite3")}

elif _database["ENGINE"].endswith("postgresql"):
    _database["OPTIONS"]["server_side_binding"] = True  # values stay out of statements, and so of the server's views

# ---- Time and language
USE_TZ = True
TIME_ZONE = "UTC"
REAL_TIME = ORDERHUB_ENV != "demo"  # the demonstration travels in time: its clock and its database are not doubted
CLOCK_SOURCE = env.str("CLOCK_SOURCE", default="database" if PRODUCTION else "system")
LANGUAGE_CODE = env.str("LANGUAGE_CODE", default="fr")
LANGUAGES = [("fr", _("French")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True

# ---- Files
STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATIC_ROOT.mkdir(exist_ok=True)
WHITENOISE_USE_FINDERS = not PRODUCTION
MEDIA_ROOT = Path(env.str("MEDIA_ROOT", default=str(VAR_DIR / "media")))
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
    "labels": {  # one alias for every label file, shared by all hosts in production
        "BACKEND": "privacy.storage.PersonalFiles",
        "OPTIONS": {
            "location": str(MEDIA_ROOT / "labels"),
            "file_permissions_mode": 0o600,
            "directory_permissions_mode": 0o700,
        },
    },
    "customization": {  # what buyers wrote and drew for Amazon Custom: personal, erased with the order
        "BACKEND": "privacy.storage.PersonalFiles",
        "OPTIONS": {
            "location": str(MEDIA_ROOT / "customization"),
            "file_permissions_mode": 0o600,
            "directory_permissions_mode": 0o700,
        },
    },
    "photos": {  # pictures of products, drawn again from Amazon's
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": str(MEDIA_ROOT / "photos")},
    },
    "brand": {  # logos of stores, shared by all hosts in production
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": str(MEDIA_ROOT / "brand")},
    },
}

# ---- Sessions and headers
LOGIN_URL = "admin:login"
SESSION_COOKIE_AGE = int(SESSION_LIFE.total_seconds())
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "orderhub.views.csrf_failure"
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = PRODUCTION
if PRODUCTION:  # by the name alone browsers refuse one set by another host, for a path, or over plain HTTP
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-sessionid", "__Host-csrftoken"
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if PRODUCTION else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = PRODUCTION
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if PRODUCTION and env.bool("BEHIND_TLS_PROXY", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
DATA_UPLOAD_MAX_MEMORY_SIZE = 3 * 1024 * 1024  # a file of orders of 2 MB comes back as text to be confirmed
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1500  # the ship form holds 200 orders

# ---- Queue (checks.py refuses other values: the queue delivers again whatever it believes lost)
Q_CLUSTER = {
    "name": "orderhub",
    "orm": "default",
    "workers": 1,
    "timeout": 60,
    "retry": 300,
    "max_attempts": 1,
    "ack_failures": True,
    "queue_limit": 1,
    "bulk": 1,
    "catch_up": False,
    "save_limit": -1,
    "poll": 1,
    "recycle": 500,
    "guard_cycle": 1,
    "label": "Queue",
}
KILLSWITCH_POLL_S = 2  # how long a process may believe what it knows of the emergency stop

# ---- Mail: to staff (authorisations that end); later to buyers, where Amazon allows it
_mail = env.email_url("EMAIL_URL", default="smtp://localhost:25" if PRODUCTION else f"filemail:///{VAR_DIR / 'mail'}")
vars().update(_mail)
EMAIL_TIMEOUT = 15
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="orderhub@localhost")

# ---- Amazon
LWA_CLIENT_ID = env.str("LWA_CLIENT_ID", default="")
LWA_CLIENT_SECRET = env.str("LWA_CLIENT_SECRET", default="")
LWA_CLIENT_SECRET_PREVIOUS = env.str("LWA_CLIENT_SECRET_PREVIOUS", default="")  # still live during a rotation
LWA_CLIENT_SECRET_ISSUED_ON = env.str("LWA_CLIENT_SECRET_ISSUED_ON", default="")  # a date, where it is older than here
SPAPI_APPLICATION_ID = env.str("SPAPI_APPLICATION_ID", default="")
SPAPI_APPLICATION_DRAFT = env.bool("SPAPI_APPLICATION_DRAFT", default=False)
SPAPI_DEVELOPER_NAME = env.str("SPAPI_DEVELOPER_NAME", default="")
SPAPI_REDIRECT_URI = env.str("SPAPI_REDIRECT_URI", default="")  # empty: this site's own address
# Stand-ins: loopback only, never in production
SPAPI_BASE_URL = env.str("SPAPI_BASE_URL", default="")
LWA_TOKEN_URL = env.str("LWA_TOKEN_URL", default="")
SELLER_CENTRAL_BASE_URL = env.str("SELLER_CENTRAL_BASE_URL", default="")
BIGCOMMERCE_BASE_URL = env.str("BIGCOMMERCE_BASE_URL", default="")
STAND_INS = ("SPAPI_BASE_URL", "LWA_TOKEN_URL", "SELLER_CENTRAL_BASE_URL", "BIGCOMMERCE_BASE_URL")
IMPORT_BACKFILL_DAYS = env.int("IMPORT_BACKFILL_DAYS", default=30)
IMPORT_POLL_MINUTES = env.int("IMPORT_POLL_MINUTES", default=5)
# Product types of Amazon's catalogue that are no goods; every other one counts as physical
DIGITAL_PRODUCT_TYPES = env.list(
    "DIGITAL_PRODUCT_TYPES",
    default=["DOWNLOADABLE_SOFTWARE", "DOWNLOADABLE_VIDEO_GAME", "ABIS_EBOOKS", "ELECTRONIC_GIFT_CARD"],
)

# ---- Privacy. Periods can be shortened, never lengthened (privacy/retention.py takes the minimum)
REDACT_POSTCODE = env.str("REDACT_POSTCODE", default="keep")  # keep | full
REDACTION_PROFILE = env.str("REDACTION_PROFILE", default="brief")  # brief | strict
REVEALS_PER_HOUR = env.int("REVEALS_PER_HOUR", default=200)  # more views of personal data raise an alarm, block nothing
RETENTION_UNSHIPPED_DAYS = env.int("RETENTION_UNSHIPPED_DAYS", default=14)
RETENTION_SHIPPED_DAYS = env.int("RETENTION_SHIPPED_DAYS", default=30)
RETENTION_LABEL_DAYS = env.int("RETENTION_LABEL_DAYS", default=44)
# Whatever else came with an order of Amazon's: months from its date, 18 at most. LEGAL_HOLD: a code of privacy/holds.py
RETENTION_NON_PII_MONTHS = env.int("RETENTION_NON_PII_MONTHS", default=18)
LEGAL_HOLD = env.str("LEGAL_HOLD", default="")
FISCAL_YEAR_END_MONTH = env.int("FISCAL_YEAR_END_MONTH", default=12)  # from its end the ten years of a hold count
# Erasures that people asked for, outside the database: a restored backup must repeat them. Shared by all hosts
ERASURE_LEDGER_FILE = Path(env.str("ERASURE_LEDGER_FILE", default=str(VAR_DIR / "erasures.jsonl")))
LOG_RETENTION_MONTHS = env.int("LOG_RETENTION_MONTHS", default=12)  # of the security log and the access log
INCIDENT_CONTACT = env.str("INCIDENT_CONTACT", default="")  # who is reached when something happened
AUDIT_HEADS_FILE = env.str("AUDIT_HEADS_FILE", default=str(VAR_DIR / "audit-heads.jsonl"))

# ---- Logs: named events with named fields, as JSON lines (orderhub/logs.py); no request line, no free text
LOG_LEVEL = env.str("LOG_LEVEL", default="INFO")
LOGGING_CONFIG = "orderhub.logs.configure"
LOGGING = {"level": LOG_LEVEL}
DEFAULT_EXCEPTION_REPORTER = "orderhub.reporting.BareReporter"

# ---- API
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["orderhub.api.authentication.Bearer"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["orderhub.rest.parsing.StrictJSON"],
    "DEFAULT_PAGINATION_CLASS": "orderhub.rest.paging.KeysetPagination",
    "DEFAULT_SCHEMA_CLASS": "orderhub.api.schema.ClientSchema",
    "EXCEPTION_HANDLER": "orderhub.rest.problems.handler",
    "COERCE_DECIMAL_TO_STRING": True,
    "URL_FORMAT_OVERRIDE": None,  # a label has a format of its own
}
SPECTACULAR_SETTINGS = {
    "TITLE": "OrderHub",
    "VERSION": "1",
    "DESCRIPTION": "Orders of shops that sell on Amazon Marketplace. Instants are UTC, money is text, weights are grams.",
    "OAS_VERSION": "3.1.0",
    "SERVERS": [{"url": "/"}],
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
}
SHIPSTATION_HOSTS = env.list("SHIPSTATION_HOSTS", default=[])  # hosts whose root is the API of ShipStation's version 1
ALLOWED_HOSTS += SHIPSTATION_HOSTS
# Where receivers of webhooks find this site, for addresses in messages
SITE_URL = env.str(
    "SITE_URL",
    default=f"https://{ALLOWED_HOSTS[0].lstrip('.')}" if PRODUCTION and ALLOWED_HOSTS else "http://localhost:8000",
).rstrip("/")

if PRODUCTION and any(globals()[name] for name in STAND_INS):
    raise ImproperlyConfigured(f"{', '.join(STAND_INS)} are for development only: remove them.")
