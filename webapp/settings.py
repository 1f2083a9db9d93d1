"""All settings. Every value has an environment name, its unit and a safe default.

Nothing else in the project reads the environment. `docs/settings.md` lists them; a test compares the two.
"""

import json
import math
import os
from pathlib import Path
from typing import Any

import dj_database_url
from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from webapp.errors import Invalid
from webapp.maps import addresses as basemap_addresses

BASE_DIR = Path(__file__).resolve().parent.parent


def env(name: str, default: str | None = None) -> str:
    """Return the environment value of `name`, or the default; a missing one without default stops the start."""
    value = os.environ.get(name, default)
    if value is None:
        raise ImproperlyConfigured(f"{name} is not set. Set it, or start the site with `make run`.")
    return value


def env_bool(name: str, default: bool) -> bool:
    """Return a switch: 1, true, yes, on in any case are true."""
    return env(name, str(default)).strip().lower() in {"1", "true", "yes", "on"}


def env_int(name: str, default: int, *, least: int = 0) -> int:
    """Return a whole number of at least `least`; anything else stops the start."""
    text = env(name, str(default)).strip()
    try:
        value = int(text)
    except ValueError:
        value = least - 1
    if value < least:
        raise ImproperlyConfigured(f"{name} must be a whole number of at least {least}, not {text!r}.")
    return value


def env_float(name: str, default: float) -> float:
    """Return a number above zero; anything else stops the start."""
    text = env(name, str(default)).strip()
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < math.inf:
        raise ImproperlyConfigured(f"{name} must be a number above 0, not {text!r}.")
    return value


def env_list(name: str, default: str = "") -> list[str]:
    """Return a comma-separated list without blanks."""
    return [item.strip() for item in env(name, default).split(",") if item.strip()]


# Where everything that is not code lives: database cluster, media, secrets, logs.
VAR_DIR = Path(env("QUADRAT_VAR_DIR", str(BASE_DIR / "var"))).resolve()
SECRETS_FILE = Path(env("QUADRAT_SECRETS_FILE", str(VAR_DIR / "secrets.json")))


def stored(name: str) -> str | None:
    """Return a value from the environment, else from the 0600 secrets file made at set-up, else None."""
    if name in os.environ:
        return os.environ[name]
    if not SECRETS_FILE.exists():
        return None
    values: dict[str, str] = json.loads(SECRETS_FILE.read_text())
    return values.get(name)


def secret(name: str) -> str:
    """Return a stored value that must be there."""
    value = stored(name)
    if not value:
        raise ImproperlyConfigured(f"{name} is not set and {SECRETS_FILE} does not hold it. Run `make run`, or set it.")
    return value


SECRET_KEY = secret("QUADRAT_SECRET_KEY")
DEBUG = env_bool("QUADRAT_DEBUG", False)
ALLOWED_HOSTS = env_list("QUADRAT_ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
# Origins, scheme included, from which forms and sockets may come when a proxy serves the site.
CSRF_TRUSTED_ORIGINS = env_list("QUADRAT_TRUSTED_ORIGINS")
# True when the site is reached by https: secure cookies, HSTS, redirect.
HTTPS = env_bool("QUADRAT_HTTPS", False)

INSTALLED_APPS = [
    "django.contrib.admin.apps.SimpleAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.gis",
    "channels",
    "rest_framework",
    "drf_spectacular",
    "leaflet",
    "django_vite",
    "csp",
    "webapp",
    "webapp.projects",
    "webapp.jobs",
    "webapp.imagery",
    "webapp.features",
    "webapp.photos",
    "webapp.maps",
    "webapp.ogc",
    "labeling",
    "training",
    "inference",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "webapp.maps.middleware.BasemapSources",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "webapp.projects.middleware.AccessMiddleware",
]

ROOT_URLCONF = "webapp.urls"
WSGI_APPLICATION = "webapp.wsgi.application"
ASGI_APPLICATION = "webapp.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "webapp" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "webapp.pages.shell",
                "webapp.maps.basemaps.for_page",
            ],
        },
    },
]

# --- database ------------------------------------------------------------------------------------
# postgis://user:password@host:port/name; a unix socket folder is percent-encoded as the host.
# Without it: the private cluster that `make run` made, whose address is in the secrets file.
_PRIVATE_URL = stored("DATABASE_URL") or f"postgis://quadrat@{str(VAR_DIR / 'run').replace('/', '%2F')}/quadrat"
DATABASE_URL = env("DATABASE_URL", _PRIVATE_URL)
# The role behind OGC, tiles and read-only APIs. Empty: the same role, in read-only transactions.
_PRIVATE_READ_URL = "" if "DATABASE_URL" in os.environ else stored("QUADRAT_READ_DATABASE_URL") or ""
READ_DATABASE_URL = env("QUADRAT_READ_DATABASE_URL", _PRIVATE_READ_URL)
# Seconds a read-only statement may take.
READ_TIMEOUT_S = env_float("QUADRAT_READ_TIMEOUT_S", 3)


DATABASE_ADDRESS = "DATABASE_URL must name a PostGIS database: postgis://user:password@host:port/name."


def database(url: str, options: str = "") -> dict[str, Any]:
    """Return Django's settings for one database URL, with libpq options."""
    try:
        config: dict[str, Any] = dict(dj_database_url.parse(url, conn_max_age=600))
    except ValueError as error:  # the unknown scheme of a garbled address is one too
        raise ImproperlyConfigured(DATABASE_ADDRESS) from error
    if not config["ENGINE"].rsplit(".", 1)[-1].startswith("post") or not config["NAME"]:
        raise ImproperlyConfigured(DATABASE_ADDRESS)
    config["ENGINE"] = "django.contrib.gis.db.backends.postgis"
    if options:
        config["OPTIONS"] = {"options": options}
    return config


DATABASES = {
    "default": database(DATABASE_URL),
    "reader": database(
        READ_DATABASE_URL or DATABASE_URL,
        f"-c default_transaction_read_only=on -c statement_timeout={int(READ_TIMEOUT_S * 1000)} -c jit=off",
    ),
}
DATABASES["reader"]["TEST"] = {"MIRROR": "default"}
# Which of the two the read-only edges ask.
READ_ALIAS = "reader" if READ_DATABASE_URL else "default"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- accounts ------------------------------------------------------------------------------------
AUTH_USER_MODEL = "projects.User"
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "login"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
# Whoever has the link of an invitation may make an account of their own with it.
INVITED_SIGN_UP = env_bool("QUADRAT_INVITED_SIGN_UP", True)
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "webapp.pages.form_too_old"
CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
# gis.W001 wants GDAL 3.9 under GeoDjango, which Debian 12 does not have. It guards against spatial references from
# requests; ours are EPSG numbers that we parsed, and uploaded files are opened in the sandbox by rasterio's own GDAL.
SILENCED_SYSTEM_CHECKS = ["gis.W001"]
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# The proxy's header that says the request came by https. Empty: no proxy is trusted.
PROXY_HTTPS_HEADER = env("QUADRAT_PROXY_HTTPS_HEADER", "")
SECURE_PROXY_SSL_HEADER = (
    (f"HTTP_{PROXY_HTTPS_HEADER.upper().replace('-', '_')}", "https") if PROXY_HTTPS_HEADER else None
)

# XYZ template of a basemap, beside those that an administrator names. Empty: no basemap, nothing outside is asked.
BASEMAP_URL = env("QUADRAT_BASEMAP_URL", "")
BASEMAP_NAME = env("QUADRAT_BASEMAP_NAME", "Basemap")
BASEMAP_ATTRIBUTION = env("QUADRAT_BASEMAP_ATTRIBUTION", "")
try:
    if BASEMAP_URL:
        basemap_addresses.check(url=BASEMAP_URL, kind="xyz", https=HTTPS)
except Invalid as error:
    raise ImproperlyConfigured(f"QUADRAT_BASEMAP_URL: {error}") from error
BASEMAP_ORIGINS = basemap_addresses.origins(BASEMAP_URL, "a,b,c") if BASEMAP_URL else []
# Search address of a server that speaks Nominatim's words. Empty: the gazetteer that comes with the site.
PLACES_URL = env("QUADRAT_PLACES_URL", "")
PLACES_CREDIT = env("QUADRAT_PLACES_CREDIT", "")
if PLACES_URL and not PLACES_URL.startswith(("https://", "http://")):
    raise ImproperlyConfigured(f"QUADRAT_PLACES_URL is {PLACES_URL!r}: give an address such as https://…/search.")

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:", "blob:", *BASEMAP_ORIGINS],
        "worker-src": [SELF, "blob:"],
        "connect-src": [SELF],
        "font-src": [SELF],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

# --- tiles ---------------------------------------------------------------------------------------
# Bytes of drawn tiles that each web process keeps in memory.
TILE_CACHE_BYTES = env_int("QUADRAT_TILE_CACHE_BYTES", 64 * 1024**2)
# Tiles that may be drawn or wait in each web process; more are answered 503 with Retry-After.
TILE_QUEUE = env_int("QUADRAT_TILE_QUEUE", 256)

# --- pages ---------------------------------------------------------------------------------------
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
# Folder of the built front end.
FRONTEND_DIST = Path(env("QUADRAT_FRONTEND_DIST", str(BASE_DIR / "frontend" / "dist")))
STATICFILES_DIRS = [FRONTEND_DIST] if FRONTEND_DIST.exists() else []
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = True
DJANGO_VITE = {"default": {"dev_mode": False, "manifest_path": FRONTEND_DIST / "manifest.json"}}
LEAFLET_CONFIG = {
    "TILES": [("Basemap", BASEMAP_URL, {"attribution": BASEMAP_ATTRIBUTION})] if BASEMAP_URL else [],
    "DEFAULT_CENTER": (20.0, 0.0),
    "DEFAULT_ZOOM": 2,
    "MIN_ZOOM": 0,
    "MAX_ZOOM": 26,
    "ATTRIBUTION_PREFIX": "",
    "RESET_VIEW": False,
}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["webapp.projects.authentication.ApiAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["webapp.projects.authentication.RouteAccess"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["webapp.projects.parsers.SafeJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "webapp.api.exception_handler",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Quadrat",
    "VERSION": "0.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/",
    "PREPROCESSING_HOOKS": ["drf_spectacular.hooks.preprocess_exclude_path_format"],
    "POSTPROCESSING_HOOKS": ["webapp.projects.docs.describe_roles"],
    # Function views have no serializer class to guess bodies from; the document says so by leaving them open.
    "DISABLE_ERRORS_AND_WARNINGS": True,
    "ENABLE_DJANGO_DEPLOY_CHECK": False,
}

# Absolute URLs that leave the site (tiles, OGC links) start with this. Empty: the request's own host.
PUBLIC_URL = env("QUADRAT_PUBLIC_URL", "")

# --- files and limits ----------------------------------------------------------------------------
MEDIA_DIR = Path(env("QUADRAT_MEDIA_DIR", str(VAR_DIR / "media"))).resolve()
QUARANTINE_DIR = Path(env("QUADRAT_QUARANTINE_DIR", str(VAR_DIR / "quarantine"))).resolve()
SCRATCH_DIR = Path(env("QUADRAT_SCRATCH_DIR", str(VAR_DIR / "scratch"))).resolve()
# Largest upload in bytes.
UPLOAD_MAX_BYTES = env_int("QUADRAT_UPLOAD_MAX_BYTES", 20 * 1024**3)
# Most pixels (rows x columns) of a raster that is ingested.
RASTER_MAX_PIXELS = env_int("QUADRAT_RASTER_MAX_PIXELS", 20_000_000_000)
# Seconds and bytes of memory a probe of an uploaded file may take.
PROBE_TIMEOUT_S = env_float("QUADRAT_PROBE_TIMEOUT_S", 30)
PROBE_MEMORY_BYTES = env_int("QUADRAT_PROBE_MEMORY_BYTES", 1024**3)
# Seconds and bytes of memory that the rewrite of an uploaded raster may take.
INGEST_TIMEOUT_S = env_float("QUADRAT_INGEST_TIMEOUT_S", 7200)
INGEST_MEMORY_BYTES = env_int("QUADRAT_INGEST_MEMORY_BYTES", 4 * 1024**3)
# Hours after which an upload that nobody goes on with is removed.
UPLOAD_KEEP_H = env_float("QUADRAT_UPLOAD_KEEP_H", 24)
# Folders of this machine from which members may take imagery. None: none are.
IMPORT_FOLDERS = [Path(item).resolve() for item in env_list("QUADRAT_IMPORT_FOLDERS")]
# Servers whose files may be read where they lie, as https://data.example.org or https://*.example.org. None: none are.
REMOTE_HOSTS = env_list("QUADRAT_REMOTE_HOSTS")
# The same for servers in the site's own network; no address there is asked otherwise.
REMOTE_PRIVATE_HOSTS = env_list("QUADRAT_REMOTE_PRIVATE_HOSTS")
# Buckets that may be read by s3://, as name or name@region; the store, and a key where they are not public.
REMOTE_S3_BUCKETS = env_list("QUADRAT_REMOTE_S3_BUCKETS")
REMOTE_S3_ENDPOINT = env("QUADRAT_REMOTE_S3_ENDPOINT", "https://s3.{region}.amazonaws.com")
REMOTE_S3_REGION = env("QUADRAT_REMOTE_S3_REGION", "us-east-1")
REMOTE_S3_KEY_ID = stored("QUADRAT_REMOTE_S3_KEY_ID") or ""
REMOTE_S3_SECRET = stored("QUADRAT_REMOTE_S3_SECRET") or ""
# Seconds that one answer of another server may take.
REMOTE_TIMEOUT_S = env_float("QUADRAT_REMOTE_TIMEOUT_S", 10)
# Bytes of other servers' files that each process keeps in memory.
REMOTE_CACHE_BYTES = env_int("QUADRAT_REMOTE_CACHE_BYTES", 64 * 1024**2)
# Bytes of a JSON request body.
DATA_UPLOAD_MAX_MEMORY_SIZE = env_int("QUADRAT_BODY_MAX_BYTES", 20 * 1024**2)

# Hours that a file lies unnamed before it is removed, and that a failed job's files wait for "Run again".
COLLECT_GRACE_H = float(env("QUADRAT_COLLECT_GRACE_H", "24"))
# Hours between two removals of unnamed files by the workers. 0: only by `manage.py collect`.
COLLECT_EVERY_H = float(env("QUADRAT_COLLECT_EVERY_H", "24"))

# --- jobs ----------------------------------------------------------------------------------------
# Seconds that a lease lasts without a heartbeat; heartbeats come every third of it.
JOB_LEASE_S = env_float("QUADRAT_JOB_LEASE_S", 30)
# Seconds that one attempt may take before it fails.
JOB_WALL_LIMIT_S = env_float("QUADRAT_JOB_WALL_LIMIT_S", 48 * 3600)
# Seconds that running jobs get to stop by themselves when a worker shuts down or they are cancelled.
JOB_GRACE_S = env_float("QUADRAT_JOB_GRACE_S", 15)
# Starts of one job before it fails as lost.
JOB_MAX_ATTEMPTS = env_int("QUADRAT_JOB_MAX_ATTEMPTS", 3)
# Unfinished jobs that one project may have.
JOB_MAX_UNFINISHED = env_int("QUADRAT_JOB_MAX_UNFINISHED", 200)
# Lines of a job's log that are kept; later ones are counted but not stored.
JOB_LOG_MAX_LINES = env_int("QUADRAT_JOB_LOG_MAX_LINES", 5000)
# More kinds of jobs, as kind=dotted.module:function, comma-separated.
EXTRA_JOB_KINDS = dict(item.split("=", 1) for item in env_list("QUADRAT_EXTRA_JOB_KINDS"))
# Jobs a worker runs at once: heavy ones (training, inference, ingest) and light ones.
WORKER_HEAVY_SLOTS = env_int("QUADRAT_WORKER_HEAVY_SLOTS", 1)
WORKER_LIGHT_SLOTS = env_int("QUADRAT_WORKER_LIGHT_SLOTS", 2)
# Threads that training and inference use. 0: one per core.
COMPUTE_THREADS = env_int("QUADRAT_COMPUTE_THREADS", 0)
# cpu, cuda, or auto.
COMPUTE_DEVICE = env("QUADRAT_COMPUTE_DEVICE", "auto")

# --- labeling ------------------------------------------------------------------------------------
# Seconds that a lease on a task lasts without a sign of life from its holder.
TASK_LEASE_S = env_float("QUADRAT_TASK_LEASE_S", 300)

# --- serving (manage.py up) ----------------------------------------------------------------------
HOST = env("QUADRAT_HOST", "127.0.0.1")
PORT = env_int("QUADRAT_PORT", 8000)
# Web processes. 0: one per core, at most four.
WEB_PROCESSES = env_int("QUADRAT_WEB_PROCESSES", 0)
# Where jobs of this machine reach the site's own API.
INTERNAL_URL = env("QUADRAT_INTERNAL_URL", f"http://127.0.0.1:{PORT}")
# Of the user `demo`, when the demo is loaded. Empty: nobody can sign in as demo.
DEMO_PASSWORD = stored("QUADRAT_DEMO_PASSWORD") or ""

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(levelname)s %(name)s: %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env("QUADRAT_LOG_LEVEL", "INFO")},
    # What it says beyond this holds addresses with their signatures.
    "loggers": {"httpcore": {"level": "INFO"}},
}
