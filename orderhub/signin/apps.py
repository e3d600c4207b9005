from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SignInConfig(AppConfig):
    name = "orderhub.signin"
    label = "signin"
    verbose_name = _("Signing in")

    def ready(self):
        from orderhub.signin import checks  # noqa: F401  registers the system checks
