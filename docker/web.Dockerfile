# Two images from one file: `--target web` (pages, API, tiles, sockets) and `--target worker` (jobs).
# Build from the root of the checkout: docker build -f docker/web.Dockerfile --target web .

FROM node:22-bookworm-slim AS frontend
WORKDIR /build/frontend
COPY frontend/package.json frontend/package-lock.json ./
RUN npm ci --no-audit --no-fund --ignore-scripts
COPY frontend/ ./
RUN npx vite build

FROM python:3.11-slim-bookworm AS base
# GDAL's library for GeoDjango, bubblewrap for the sandbox that looks at uploads.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends gdal-bin bubblewrap \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY webapp/setup/uv.txt requirements.txt ./
# The environment holds what the lock file names and nothing else, hashes checked.
RUN python -m venv /opt/uv \
    && /opt/uv/bin/pip install --no-cache-dir --require-hashes -r uv.txt \
    && /opt/uv/bin/uv venv /opt/venv \
    && /opt/uv/bin/uv pip sync --no-cache --require-hashes --python /opt/venv/bin/python requirements.txt \
    && rm -rf /opt/uv uv.txt
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 QUADRAT_VAR_DIR=/var/quadrat
COPY manage.py ./
COPY webapp/ webapp/
COPY labeling/ labeling/
COPY training/ training/
COPY inference/ inference/
COPY docker/*.sh docker/
COPY --from=frontend /build/frontend/dist frontend/dist
RUN useradd --uid 1000 --create-home quadrat && install -d -o quadrat -g quadrat /var/quadrat
USER quadrat
VOLUME /var/quadrat

FROM base AS web
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
CMD ["sh", "docker/web.sh"]

FROM base AS worker
CMD ["sh", "docker/worker.sh"]
