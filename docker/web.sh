#!/bin/sh
# Entry of the web image: uvicorn on all addresses of the container, nginx in front.
set -eu
exec uvicorn webapp.asgi:application \
    --host 0.0.0.0 --port 8000 \
    --workers "${QUADRAT_WEB_PROCESSES:-2}" \
    --no-access-log --no-server-header \
    --proxy-headers --forwarded-allow-ips "*" \
    --ws websockets-sansio --ws-max-size 262144 --ws-max-queue 32 \
    --timeout-keep-alive 75 --timeout-graceful-shutdown 15
