"""Carriers and services by the codes of version 1, and back to ours. Pure."""

import re
import zlib

from shipments import carriers


def of_carrier(code: str) -> str:
    """Version 1's code of a carrier of ours; ours where it has none."""
    known = carriers.in_table(code)
    return known.shipstation[0] if known.shipstation else known.code


def ours(code: str) -> list[str]:
    """Our codes of a carrier of version 1; several of ours may share one there."""
    wanted = code.strip().lower()
    found = [one.code for one in carriers.ALL if wanted in one.shipstation or wanted == one.code]
    return found or [code.strip()]


def of_service(carrier: str, service: str) -> str | None:
    """Version 1's code of a service by its name; the name in the form of a code where it has none."""
    if not service:
        return None
    known = carriers.in_table(carrier).service(service)
    return known.code if known and known.code else in_code(service)


def in_code(text: str) -> str:
    """A text as codes look: small letters, digits and underscores."""
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")


def number_of(code: str) -> int:
    """A number for a code, the same in every process."""
    return zlib.crc32(code.encode()) & 0x7FFFFFFF


def names_of_service(code: str) -> list[str]:
    """How services of this code of version 1 are called here."""
    wanted = code.strip().lower()
    known = {service for carrier in carriers.ALL for service in carrier.known_services}
    return [code, *sorted({one.name for one in known if wanted in (one.code.lower(), in_code(one.name))})]


def for_number(code: str, number: str) -> str:
    """Which of our carriers behind a code of version 1 this tracking number is of; the first where none claims it."""
    found = ours(code)
    tidy = re.sub(r"[^A-Za-z0-9]", "", number).upper()
    fitting = [one for one in found if any(form.pattern.fullmatch(tidy) for form in carriers.in_table(one).formats)]
    return (fitting or found)[0]


def name_of_service(carrier: str, code: str) -> str:
    """What a service of version 1 is called here; its code where nobody here knows it."""
    known = (carriers.in_table(one).service(code) for one in ours(carrier))
    return next((service.name for service in known if service), code)
