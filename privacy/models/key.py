"""Data keys: each record of a person has one of its own, and erasing the key erases every copy of the record."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from orderhub import clock


class DataKey(models.Model):
    """The key of one owner (`order:12`, `customer:5`, `item:7`, a file's name), wrapped by a master key.

    The table is left out of long-lived backups: a copy of the data without it is noise.
    """

    owner = models.CharField(_("owner"), max_length=160, primary_key=True)
    wrapped = models.CharField(_("wrapped key"), max_length=160)
    created_at = models.DateTimeField(_("created at"), default=clock.now)

    class Meta:
        verbose_name = _("data key")
        verbose_name_plural = _("data keys")

    def __str__(self) -> str:
        return self.owner
