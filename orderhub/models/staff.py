"""Staff users, and the accounts that API keys act under."""

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from orderhub import clock


class User(AbstractUser):
    """A member of staff, or the account an API key acts under (`is_client`). Never a buyer."""

    language = models.CharField(
        _("language"), max_length=5, choices=[("fr", "Français"), ("en", "English")], default="fr"
    )
    password_changed_at = models.DateTimeField(_("password changed at"), default=clock.now)
    password_is_temporary = models.BooleanField(_("temporary password"), default=False)  # set by another: to be changed
    active_since = models.DateTimeField(_("active since"), default=clock.now)  # idle days are not counted before it
    is_client = models.BooleanField(default=False, editable=False)  # the account of an API key: signs in nowhere
    password_before = ""  # the hash that set_password() replaced, for the history; no column

    class Meta(AbstractUser.Meta):
        verbose_name = _("user")
        verbose_name_plural = _("users")
        constraints = [
            models.CheckConstraint(
                condition=Q(is_client=False) | Q(is_staff=False, is_superuser=False), name="user_client_is_no_staff"
            )
        ]

    def set_password(self, raw_password):
        self.password_before = self.password
        super().set_password(raw_password)
        self.password_changed_at = clock.now()
