"""WSGI entry point for gunicorn. Refuses to serve what the system checks refuse."""

import os

from django.core.management import call_command
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "orderhub.settings")
application = get_wsgi_application()
call_command("check", verbosity=0)
