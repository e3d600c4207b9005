"""Constraints our models share."""

from django.db import models
from django.db.models import Q


def known_values(column: str, choices: type[models.TextChoices], name: str) -> models.CheckConstraint:
    """The database knows a state column's words: an unknown one would slip through every sweep."""
    return models.CheckConstraint(condition=Q(**{f"{column}__in": list(choices.values)}), name=name)
