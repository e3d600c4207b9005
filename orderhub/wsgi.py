"""WSGI entry point for gunicorn. Refuses to serve what the system checks refuse."""

import os

from django.core.wsgi import get_wsgi_application

from orderhub.starting import refuse_unsafe

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "orderhub.settings")
application = get_wsgi_application()
refuse_unsafe()
