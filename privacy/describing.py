"""docs/privacy.md, written from the registry: what is kept of people, why, how long, where, how it goes, who sees it.

English, whatever the language of the installation, and the same for any settings: the file is committed, and a test
compares it.
"""

import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from django.apps import apps
from django.utils.translation import override

from privacy import access, holds, markers, registry
from privacy.registry import Kind
from privacy.retention import CEILING_DAYS, LABEL_DAYS, SHIPPED_DAYS, UNSHIPPED_DAYS

PATH = Path(__file__).resolve().parent.parent / "docs" / "privacy.md"
COMMAND = "manage.py privacy_map --write"
KIND_WORDS = {
    Kind.PUBLIC: "known to anyone who works here",
    Kind.OPERATIONAL: "about orders, parcels and jobs, not about people",
    Kind.PII: "about a buyer: masked, latched, erased",
    Kind.STAFF: "about a member of staff",
    Kind.SECRET: "credentials and keys, encrypted or hashed",
    Kind.OPAQUE: "bytes of a library, proven free of buyers by the canary run",
}
SEES_NAMES = {
    "orders.view_personal_data": "names and addresses of all orders",
    "orders.view_personal_data_of_open_orders": "names and addresses of orders that are still to be sent",
    "orders.reveal_person": "one order's name and address after giving a reason",
    "orders.search_person": "whether a name, e-mail or phone has orders, by searching for it",
    "orders.export_personal_data": "an export with names and addresses",
}


def document() -> str:
    """The whole file."""
    with override("en"):
        parts = [
            _opening(),
            _terms(),
            _old_orders(),
            _tables(),
            _shelves(),
            _elsewhere(),
            _roles(),
            _proof(),
            _every_table(),
        ]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _opening() -> str:
    return f"""
# What OrderHub keeps of people

Written by `{COMMAND}` from the lists that the erasure itself works by (`personal_data.py` of each
app); a test fails where this file says anything else. A column that is in no list fails another one.

Buyers appear in the tables and files of the next sections and nowhere else. Everything of them is erased by itself, on
the dates below, and replaced by « {markers.AMAZON} » ({"« " + markers.RGPD + " »"} where the person asked for it).
Nothing is archived: not the values, and no digest of them. What proves an erasure is a certificate without values
(order number, rule, due date, time, names of the fields, number of documents, version).
"""


def _terms() -> str:
    return f"""
## How long

| Case | Personal data of the order until |
|---|---|
| not sent, or not completely | first import + {UNSHIPPED_DAYS} days |
| sent with a tracked service | the earliest of delivery + {SHIPPED_DAYS} days, ship date + {SHIPPED_DAYS} days, label + {LABEL_DAYS} days |
| sent with an untracked service | creation of the shipment + {SHIPPED_DAYS} days |
| several parcels | the earliest of them; each label on its own parcel's date |
| whatever happens | never beyond first import + {CEILING_DAYS} days |
| fulfilled by Amazon (FBA) | names and streets are never stored |

A day is 24 hours. The erasure runs every five minutes. Terms can be shortened, for the installation and for a store,
never lengthened; a later correction never moves a date back. An order that did not come from Amazon is erased when its
buyer asks for it."""


def _old_orders() -> str:
    kept = "\n".join(
        f"- *{holds.LegalHold(code).label}* (`{code}`): {_held(tables)}." for code, tables in holds.KEPT.items()
    )
    return f"""
## Everything else of Amazon's orders

What names nobody goes too, {holds.MOST_MONTHS} calendar months after the date of the order: with the order go its lines, parcels,
labels, notices, mails, purchases, rows of batches, notes, tags and timeline, and its customer where no other order is
left. Ledgers of imports, submissions and batches of that age go as well. A job does it every day; fewer months
(`RETENTION_NON_PII_MONTHS`) are obeyed, more are not. An order whose personal data is not erased by then is left alone and
named in the security log. An import passes over orders of that age, so none comes back.

Only a law keeps something longer: a code of the installation (`LEGAL_HOLD`) or of a store, set by the privacy officer and
on record. It keeps these columns, so that counts and totals of a month stay what they were, and empties or deletes all
others; {holds.YEARS_HELD} years after the end of the fiscal year the rest goes.

{kept}

Without a law the orders are gone, and the totals of their month with them: export what the books need before. Products and
stock are the seller's own, as are orders that did not come from Amazon: they stay. Certificates stay, as the proof of the
erasure, and hold an order number."""


def _held(tables: dict[str, str]) -> str:
    key = {"orders_order": "order_number"}  # the others are told apart by the order
    return "; ".join(
        f"`{table}` {_names([*filter(None, [key.get(table)]), *columns.split()])}" for table, columns in tables.items()
    )


def _tables() -> str:
    lines = ["## Where: tables"]
    for table, purpose in sorted(registry.purposes().items()):
        columns = [column for owner, column in registry.personal_columns() if owner == table]
        lines.append(f"""
### `{table}`

- What: {purpose.what}.
- Why: {purpose.why}.
- How long: {purpose.term}.
- How it goes: {purpose.how}.
- Columns: {_names(columns)}.""")
    return "\n".join(lines)


def _names(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _shelves() -> str:
    lines = ["## Where: files", "", "| Storage | What | Why | How long | How it goes |", "|---|---|---|---|---|"]
    for shelf in sorted(registry.shelves(), key=lambda shelf: (not shelf.personal, shelf.alias)):
        who = "" if shelf.personal else " (nothing of buyers)"
        lines.append(f"| `{shelf.alias}`{who} | {shelf.what} | {shelf.why} | {shelf.term} | {shelf.how} |")
    days = ", ".join(f"`{shelf.alias}` after {shelf.stray_after.days} d" for shelf in registry.shelves())
    lines += [
        "",
        f"A file that no row names has no date, so it is deleted by its age: {days}. Until then the nightly scan names it.",
        "Exports, packing slips, pick lists and other formats of a label are made when asked for, sent, and not stored.",
    ]
    return "\n".join(lines)


def _elsewhere() -> str:
    return """
## What stays, and what else there is

- **City, state, district, postal code and country** stay on the order; on the label they are erased with the rest. The
  postal code is a decision of the operator, as Amazon's list of personal data names it: kept by default, to answer
  questions about zones and duties; `REDACT_POSTCODE=full` erases it on every order.
- **Item options, custom fields and notes that name nobody** stay. The strict profile (`REDACTION_PROFILE=strict`, or a
  store's own switch) erases them and the postal code as well.
- **Relay addresses** (`…@marketplace.amazon.…`) stay: Amazon masked them already.
- **Mails** are put together when they are sent and not kept. Outside production they are files in `var/mail`: these go
  after 24 hours, or with the first erasure of an order that got a mail.
- **Logs** are named events with named fields; no line holds a value of an order, a form or an address. Error reports
  name files and lines of code, no local, no form field and no message.
- **Queue, sessions, caches, admin history** hold ids. The nightly scan searches them for values of orders that go
  within a day.
- **Temporary files**: a folder of each process in `var/tmp`, emptied when a process starts; core dumps are off.
- **Backups** are the operator's: keep them at most 30 days, encrypted, and leave the table `privacy_datakey` and the key
  files out of them (those in a backup of their own, 7 days). After a restore the sweep runs to zero before anybody is
  served, and requests made since then are carried out again.
- **SQLite** is for the demo and for trying out. With `secure_delete` and a truncated write-ahead log an erased value is
  gone from the file, and a test reads the bytes; disks and file systems below keep what they keep. Production is
  PostgreSQL, whose dead rows and log live on until they are used again: that is why personal columns are encrypted.
- **Outside**: Amazon, carriers and a linked BigCommerce store keep what they were told on their own terms."""


def _roles() -> str:
    lines = ["## Who sees what", "", "| Role | Of buyers |", "|---|---|"]
    for role, rights in access.ROLES.items():
        seen = [words for right, words in SEES_NAMES.items() if right in rights]
        lines.append(
            f"| {role} | {'; '.join(seen) or 'no name and no street; city, postal code and country of orders'} |"
        )
    lines += [
        "",
        "Every opening of an address is written down with user, order and time. A superuser is in no role by being one.",
        "",
        "All rights, from `privacy/access.py`:",
        "",
    ]
    words = _right_words()
    for role, rights in access.ROLES.items():
        lines.append(f"- **{role}**: {'; '.join(sorted({words[right] for right in rights}, key=str.casefold))}.")
    return "\n".join(lines)


def _right_words() -> dict[str, str]:
    """What each right is called; from the models, so that no database is asked."""
    found = {}
    for model in apps.get_models():
        told = model._meta
        for action in told.default_permissions:
            found[f"{told.app_label}.{action}_{told.model_name}"] = f"{action} {told.verbose_name}"
        for codename, name in told.permissions:
            found[f"{told.app_label}.{codename}"] = str(name).removeprefix("Can ")
    return found


def _proof() -> str:
    holders = "\n".join(f"{number}. {_first_sentence(holder)}" for number, holder in enumerate(registry.holders(), 1))
    return f"""
## How it is erased and proven

An order is masked everywhere at once, then its files are destroyed, then its columns are overwritten and the certificate
written in one transaction, then everything is read again; only then is it called erased. In this order:

{holders}

Database constraints keep an erased row from taking anything but the marker. `manage.py privacy_scan` looks for what might
be left: personal columns and documents of every erased order, files without a row, and values of orders that go within a
day in all places that no erasure reaches, through four layers of encodings. It runs every night; places and order ids are
told, never values. `manage.py privacy_scan --self-test` proves that it finds what is hidden."""


def _first_sentence(holder) -> str:
    text = " ".join((type(holder).__doc__ or sys.modules[type(holder).__module__].__doc__ or "").split())
    return text.split("; see")[0].split(". ")[0].rstrip(".") + "."


def _every_table() -> str:
    lines = ["## Every table, column by column", ""]
    lines += [f"- *{kind}*: {words}" for kind, words in KIND_WORDS.items()]
    lines += ["", "| Table | Columns by kind |", "|---|---|"]
    total: Counter[Kind] = Counter()
    for table, found in sorted(registry.tables().items()):
        total.update(found.columns.values())
        lines.append(f"| `{table}` | {'; '.join(_by_kind(found))} |")
    counts = ", ".join(f"{total[kind]} {kind}" for kind in Kind if total[kind])
    lines += ["", f"{len(registry.tables())} tables, {sum(total.values())} columns: {counts}."]
    return "\n".join(lines)


def _by_kind(table: registry.Table) -> Iterator[str]:
    for kind in Kind:
        if names := [column for column, found in table.columns.items() if found is kind]:
            yield f"*{kind}* {' '.join(names)}"
