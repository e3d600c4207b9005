"""What browsers are told, and what may come in."""

from django.conf import settings

from orderhub.checks.rules import unsafe

YEAR_S = 365 * 24 * 3600
LONGEST_SESSION_S = 12 * 3600
MOST_BYTES, MOST_FIELDS = 5 * 1024 * 1024, 2000
WANTED = (  # in this order: the first is the outermost
    "orderhub.requestids.RequestIds",
    "orderhub.middleware.SecurityHeaders",
    "orderhub.signin.addresses.ClientAddress",
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "orderhub.signin.middleware.StaffAuthentication",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "orderhub.signin.middleware.SessionRules",
)


@unsafe(10)
def cookies_travel_over_https_only() -> str:
    safe = settings.SESSION_COOKIE_SECURE and settings.CSRF_COOKIE_SECURE
    return "" if safe else "SESSION_COOKIE_SECURE and CSRF_COOKIE_SECURE must be on."


@unsafe(11)
def scripts_read_no_cookie() -> str:
    safe = settings.SESSION_COOKIE_HTTPONLY and settings.CSRF_COOKIE_HTTPONLY
    return "" if safe else "SESSION_COOKIE_HTTPONLY and CSRF_COOKIE_HTTPONLY must be on."


@unsafe(12)
def cookies_stay_on_this_site() -> str:
    safe = {settings.SESSION_COOKIE_SAMESITE, settings.CSRF_COOKIE_SAMESITE} <= {"Lax", "Strict"}
    return "" if safe else "SESSION_COOKIE_SAMESITE and CSRF_COOKIE_SAMESITE must be Lax or Strict."


@unsafe(13)
def browsers_remember_https() -> str:
    safe = settings.SECURE_HSTS_SECONDS >= YEAR_S and settings.SECURE_HSTS_INCLUDE_SUBDOMAINS
    return "" if safe else "SECURE_HSTS_SECONDS must be a year (31536000) and SECURE_HSTS_INCLUDE_SUBDOMAINS on."


@unsafe(14)
def plain_http_is_turned_away() -> str:
    return "" if settings.SECURE_SSL_REDIRECT else "SECURE_SSL_REDIRECT must be on."


@unsafe(15)
def sessions_end() -> str:
    safe = 0 < settings.SESSION_COOKIE_AGE <= LONGEST_SESSION_S
    return "" if safe else "SESSION_COOKIE_AGE must be at most 12 hours (43200 seconds)."


@unsafe(16)
def sessions_can_be_ended() -> str:
    """The emergency stop ends them by deleting their rows; a pickled session would be code."""
    known = settings.SESSION_ENGINE in {
        "django.contrib.sessions.backends.db",
        "django.contrib.sessions.backends.cached_db",
    }
    safe = known and settings.SESSION_SERIALIZER.endswith("JSONSerializer")
    return "" if safe else "SESSION_ENGINE must keep sessions in the database, SESSION_SERIALIZER must be JSON."


@unsafe(17)
def forms_come_from_https() -> str:
    wrong = [origin for origin in settings.CSRF_TRUSTED_ORIGINS if not origin.startswith("https://") or "*" in origin]
    return "CSRF_TRUSTED_ORIGINS must be https:// addresses without a wildcard." if wrong else ""


@unsafe(18)
def headers_are_strict() -> str:
    safe = (
        settings.SECURE_CONTENT_TYPE_NOSNIFF
        and settings.X_FRAME_OPTIONS == "DENY"
        and settings.SECURE_REFERRER_POLICY in {"same-origin", "no-referrer"}
        and settings.SECURE_CROSS_ORIGIN_OPENER_POLICY == "same-origin"
    )
    return "" if safe else (
        "SECURE_CONTENT_TYPE_NOSNIFF on, X_FRAME_OPTIONS DENY, SECURE_REFERRER_POLICY same-origin and "
        "SECURE_CROSS_ORIGIN_OPENER_POLICY same-origin are needed."
    )  # fmt: skip


@unsafe(19, everywhere=True)
def middleware_is_complete() -> str:
    found = [name for name in settings.MIDDLEWARE if name in WANTED]
    return "" if found == list(WANTED) else f"MIDDLEWARE must have, in this order: {', '.join(WANTED)}."


@unsafe(22)
def requests_have_a_size() -> str:
    size, fields = settings.DATA_UPLOAD_MAX_MEMORY_SIZE, settings.DATA_UPLOAD_MAX_NUMBER_FIELDS
    safe = size and fields and size <= MOST_BYTES and fields <= MOST_FIELDS
    return "" if safe else "DATA_UPLOAD_MAX_MEMORY_SIZE (5 MB) and DATA_UPLOAD_MAX_NUMBER_FIELDS (2000) must be set."


@unsafe(23)
def forwarded_hosts_are_not_believed() -> str:
    return (
        "USE_X_FORWARDED_HOST must be off: the proxy hands on the host as it came."
        if settings.USE_X_FORWARDED_HOST
        else ""
    )
