"""Named places where a test can make the process die, fail or wait.

`ORDERHUB_FAILPOINT=notify.after_send:kill` (or `:raise`), optionally `:kill:3` for the third visit. Production
refuses to start while the variable is set (checks.py).
"""

import os
import signal
from collections import Counter

ENV = "ORDERHUB_FAILPOINT"
NAMES = (
    "import.before_call",
    "import.after_answer",
    "import.inside_page",
    "import.between_pages",
    "import.before_cursor",
    "import.after_cursor",
    "enter.inside",
    "custom.after_names",
    "custom.between_files",
    "ship.after_commit",
    "void.after_commit",
    "batch.after_row",
    "batch.after_price",
    "buy.after_intent",
    "buy.after_send",
    "buy.after_answer",
    "notify.after_claim",
    "notify.after_send",
    "notify.after_answer",
    "notify.after_record",
    "notify.in_reconcile",
    "feed.after_claim",
    "feed.after_upload",
    "feed.after_intent",
    "feed.after_send",
    "feed.after_record",
    "feed.in_report",
    "mail.after_claim",
    "mail.after_send",
    "mail.after_record",
    "redact.before_mark",
    "redact.after_mark",
    "redact.between_files",
    "redact.after_files",
    "redact.after_columns",
    "redact.in_verify",
    "redact.after_done",
    "retire.before_files",
    "retire.after_files",
    "retire.inside",
    "retire.after_rows",
    "request.after_ledger",
    "request.before_done",
    "webhook.after_claim",
    "webhook.after_send",
)
_visits: Counter[str] = Counter()


class Failpoint(Exception):
    """What an armed failpoint raises with `:raise`."""


def reach(name: str) -> None:
    """Do what the environment says should happen here; nothing without the variable."""
    wish = os.environ.get(ENV)
    if not wish:
        return
    wanted, _, rest = wish.partition(":")
    kind, _, visit = rest.partition(":")
    if wanted != name:
        return
    _visits[name] += 1
    if _visits[name] != int(visit or 1):
        return
    if kind == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    raise Failpoint(name)
