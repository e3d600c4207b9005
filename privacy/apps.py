from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class PrivacyConfig(AppConfig):
    name = "privacy"
    verbose_name = _("Privacy")

    def ready(self):
        from privacy.access import sync_roles

        post_migrate.connect(lambda using, **kwargs: sync_roles(using), sender=self, weak=False)
