#!/bin/sh
# Entry of the worker image: runs jobs until SIGTERM, then puts running ones back.
set -eu
exec python manage.py worker
