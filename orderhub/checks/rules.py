"""A rule of production: a function that says what is wrong and what to change, or nothing.

Each becomes a check of its own, an error with its own id, so that a start is refused with a list of sentences.
"""

from collections.abc import Callable

from django.conf import settings
from django.core.checks import Error, Tags, register

RULES: dict[str, Callable[[], str]] = {}


def unsafe(number: int, *, everywhere: bool = False):
    """Declare a rule. `everywhere`: also outside of production."""

    def declare(rule: Callable[[], str]) -> Callable[[], str]:
        check_id = f"orderhub.E{number:03}"
        assert check_id not in RULES, check_id

        def check(app_configs, **kwargs) -> list[Error]:
            if not (settings.PRODUCTION or everywhere):
                return []
            return [Error(text, id=check_id) for text in [rule()] if text]

        check.__name__ = rule.__name__
        register(Tags.security)(check)
        RULES[check_id] = rule
        return rule

    return declare
