"""Django as WSGI: what `webapp.asgi` runs on persistent threads, and what a WSGI server may run alone."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings")
application = get_wsgi_application()
