"""Before anything is served or worked on: a production with anything unsafe does not start, and says why."""

import sys

from django.conf import settings
from django.core.checks import ERROR, CheckMessage, Tags, run_checks

REFUSED = 78  # the exit code for a wrong configuration; 3 would make gunicorn try again


def problems() -> list[CheckMessage]:
    """What keeps this installation from starting: every error, and in production every warning of Django's own about
    security too. Those about the database's own log settings are warnings and only told."""
    found = run_checks(tags=[Tags.security], include_deployment_checks=settings.PRODUCTION)
    refused = [problem for problem in found if not problem.is_silenced() and _refuses(problem)]
    if refused:
        return refused  # the others ask the database, which may be what is set wrongly
    found = run_checks(include_deployment_checks=settings.PRODUCTION, databases=["default"])
    return [problem for problem in found if not problem.is_silenced() and _refuses(problem)]


def _refuses(problem: CheckMessage) -> bool:
    return problem.level >= ERROR or (settings.PRODUCTION and (problem.id or "").startswith("security."))


def refuse_unsafe() -> None:
    """Return where all is well; else print a sentence a line and end the process."""
    found = problems()
    if not found:
        return
    sys.stderr.write("OrderHub does not start: its settings are not safe.\n")
    for problem in found:
        sys.stderr.write(f"- {problem.msg} ({problem.id})\n")
    sys.stderr.write("Mend these, then try: manage.py check --deploy --database default\n")
    sys.stderr.flush()
    raise SystemExit(REFUSED)
