"""Logs by allow-list: a line is an event name and registered fields, as JSON. Free text never gets out.

Messages formatted by libraries may carry values of an order, so of a foreign record only its logger, level and place
are kept.
"""

import json
import logging
import logging.config
from datetime import UTC, datetime

from orderhub import requestids

FIELDS = (
    "method", "host", "route", "status", "request_id", "ms", "job", "error_id", "error", "at", "account", "operation",
    "count", "user", "order_id", "shipment_id", "code", "seconds", "position", "digest", "page_id", "endpoint",
)  # fmt: skip
OURS = "orderhub"


class EventFormatter(logging.Formatter):
    """One JSON object a line; control characters are escaped by JSON itself."""

    def format(self, record: logging.LogRecord) -> str:
        event = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
        }
        if record.name.split(".")[0] == OURS and not record.args:
            event["event"] = str(record.msg)[:80]
        else:
            event["at"] = f"{record.module}:{record.lineno}"
        if record.exc_info and record.exc_info[0]:
            event["error"] = record.exc_info[0].__name__
        for name in FIELDS:
            if name in record.__dict__ and isinstance(record.__dict__[name], str | int | float | None):
                event[name] = record.__dict__[name]
        if page := requestids.current():  # a line about a call out has the id the other side gave it
            event["page_id" if "request_id" in event else "request_id"] = page
        return json.dumps(event, ensure_ascii=True)


def configure(options: dict) -> None:
    """Django's LOGGING_CONFIG hook: every logger writes through EventFormatter to stderr."""
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"event": {"()": EventFormatter}},
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "event"}},
            "root": {"handlers": ["stderr"], "level": options.get("level", "INFO")},
            "loggers": {
                "django": {"handlers": []},  # its own mails error reports to ADMINS
                "django.server": {"handlers": [], "propagate": False},  # request lines hold query strings
                "django.request": {"level": "ERROR"},
                "django-q": {"handlers": ["stderr"], "propagate": False, "level": "WARNING"},
                "fontTools": {"level": "ERROR"},
            },
        }
    )
