#!/bin/sh
# One-shot before web and worker: tables, static files, and the demo unless QUADRAT_DEMO=no.
set -eu
python manage.py migrate --noinput
python manage.py collectstatic --noinput --clear
if [ "${QUADRAT_DEMO:-yes}" = "yes" ]; then
    python manage.py demo --load
fi
