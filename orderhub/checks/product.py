"""What is installed and shown, what is logged, and how long things are kept."""

import re

from django.apps import apps
from django.conf import settings
from django.contrib import admin

from orderhub.checks.rules import unsafe
from privacy import holds, retention

DEVELOPERS = {"debug_toolbar", "django_extensions", "silk", "django_browser_reload", "django.contrib.admindocs"}
UNREGISTERED = (  # forms for these would let staff run code, take over sessions, or give themselves rights
    "django_q.schedule", "django_q.ormq", "django_q.success", "django_q.failure", "sessions.session", "auth.permission",
    "contenttypes.contenttype", "auth.group", "otp_totp.totpdevice", "otp_static.staticdevice", "otp_static.statictoken",
)  # fmt: skip
LONGEST = {
    "RETENTION_UNSHIPPED_DAYS": retention.UNSHIPPED_DAYS,
    "RETENTION_SHIPPED_DAYS": retention.SHIPPED_DAYS,
    "RETENTION_LABEL_DAYS": retention.LABEL_DAYS,
}
KILLSWITCH_WITHIN_S = 5


@unsafe(60)
def no_tool_of_developers() -> str:
    found = sorted(DEVELOPERS & set(settings.INSTALLED_APPS))
    return f"INSTALLED_APPS: remove {', '.join(found)}." if found else ""


@unsafe(61)
def no_form_for_what_runs_code() -> str:
    found = []
    for label in UNREGISTERED:
        try:
            model = apps.get_model(label)
        except LookupError:
            continue
        found += [label] * admin.site.is_registered(model)
    return f"Take out of the admin: {', '.join(found)}." if found else ""


@unsafe(62)
def api_speaks_json_only() -> str:
    renderers = settings.REST_FRAMEWORK.get("DEFAULT_RENDERER_CLASSES", ["BrowsableAPIRenderer"])
    signins = settings.REST_FRAMEWORK.get("DEFAULT_AUTHENTICATION_CLASSES", [])
    rights = settings.REST_FRAMEWORK.get("DEFAULT_PERMISSION_CLASSES", ["AllowAny"])
    wrong = [name for name in (*renderers, *signins, *rights) if re.search("Browsable|BasicAuth|AllowAny", str(name))]
    return f"REST_FRAMEWORK: remove {', '.join(wrong)}." if wrong else ""


@unsafe(63)
def logs_go_through_the_allow_list() -> str:
    safe = settings.LOGGING_CONFIG == "orderhub.logs.configure"
    return "" if safe else "LOGGING_CONFIG must be orderhub.logs.configure: other formatters write values."


@unsafe(64)
def logs_are_not_verbose() -> str:
    return "LOG_LEVEL must be INFO or above." if settings.LOG_LEVEL.upper() in {"DEBUG", "NOTSET"} else ""


@unsafe(65)
def errors_are_not_mailed() -> str:
    return (
        "ADMINS and MANAGERS must be empty: error mails hold what was typed."
        if settings.ADMINS or settings.MANAGERS
        else ""
    )


@unsafe(66)
def templates_hide_their_errors() -> str:
    wrong = [found for found in settings.TEMPLATES if found.get("OPTIONS", {}).get("debug")]
    return "TEMPLATES: the option debug must be off." if wrong else ""


@unsafe(67)
def nothing_is_kept_longer() -> str:
    wrong = [
        f"{name} must be between 1 and {most}"
        for name, most in LONGEST.items()
        if not 0 < getattr(settings, name) <= most
    ]
    return f"{'; '.join(wrong)}." if wrong else ""


@unsafe(68)
def logs_are_kept_a_year() -> str:
    safe = settings.LOG_RETENTION_MONTHS == 12
    return "" if safe else "LOG_RETENTION_MONTHS must be 12: Amazon wants no less, the French regulator no more."


@unsafe(69, everywhere=True)
def postcodes_are_kept_or_not() -> str:
    return "" if settings.REDACT_POSTCODE in {"keep", "full"} else "REDACT_POSTCODE must be keep or full."


@unsafe(70)
def somebody_can_be_reached() -> str:
    contact = settings.INCIDENT_CONTACT
    safe = "@" in contact or sum(letter.isdigit() for letter in contact) >= 8
    return (
        "" if safe else "INCIDENT_CONTACT must say who is reached in an incident: a mail address or a telephone number."
    )


@unsafe(71, everywhere=True)
def instants_are_utc() -> str:
    return "" if settings.USE_TZ and settings.TIME_ZONE == "UTC" else "USE_TZ must be on and TIME_ZONE be UTC."


@unsafe(72, everywhere=True)
def the_language_is_known() -> str:
    known = [code for code, _name in settings.LANGUAGES]
    return "" if settings.LANGUAGE_CODE in known else f"LANGUAGE_CODE must be one of {', '.join(known)}."


@unsafe(73)
def the_emergency_stop_is_obeyed_in_time() -> str:
    every_s = settings.KILLSWITCH_POLL_S
    safe = every_s is not None and 0 <= every_s < KILLSWITCH_WITHIN_S
    return "" if safe else "KILLSWITCH_POLL_S must be below 5 seconds."


@unsafe(74, everywhere=True)
def nothing_of_amazon_is_kept_longer() -> str:
    safe = 1 <= settings.RETENTION_NON_PII_MONTHS <= holds.MOST_MONTHS
    return (
        ""
        if safe
        else "RETENTION_NON_PII_MONTHS must be between 1 and 18. What a law wants longer is kept by LEGAL_HOLD."
    )


@unsafe(75, everywhere=True)
def a_hold_is_a_law_we_know() -> str:
    known = ["", *holds.LegalHold.values]
    return "" if settings.LEGAL_HOLD in known else f"LEGAL_HOLD must be empty or one of {', '.join(known[1:])}."


@unsafe(76, everywhere=True)
def the_fiscal_year_ends_in_a_month() -> str:
    return "" if 1 <= settings.FISCAL_YEAR_END_MONTH <= 12 else "FISCAL_YEAR_END_MONTH must be a month, 1 to 12."
