"""Django as WSGI: what `webapp.asgi` runs on persistent threads, and what a WSGI server may run alone."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings")
application = get_wsgi_application()

# It gives GDAL a file system, which is safe only before there are threads; and it needs the settings.
import webapp.raster.remote  # noqa: E402, F401
