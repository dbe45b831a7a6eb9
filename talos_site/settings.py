"""Settings: the only reader of the environment, in the order of the table in the README.

The defaults suit one person's computer. A `.env` file beside `manage.py` is read as well; the real
environment overrides it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from chat.db import configuration
from chat.llm.catalogue.providers import KNOWN
from talos_site import clock, environment, secret

BASE_DIR = Path(__file__).resolve().parent.parent
_env = environment.Reader(environment.load(BASE_DIR / ".env"))

# --- models -------------------------------------------------------------------------------------

OPENAI_API_KEY = _env.text("OPENAI_API_KEY")
OPENAI_BASE_URL = _env.address("OPENAI_BASE_URL", key="OPENAI_API_KEY")
# Other providers' keys and addresses have LiteLLM's own names.
PROVIDER_VARIABLES = _env.ending(
    "_API_KEY",
    "_API_BASE",
    "AWS_ACCESS_KEY_ID",
    "AWS_BEARER_TOKEN_BEDROCK",
    "AWS_PROFILE",
    "GOOGLE_APPLICATION_CREDENTIALS",
    "VERTEXAI_PROJECT",
)
_bases = {"OLLAMA_API_BASE": True, "LM_STUDIO_API_BASE": True}
_bases |= {p.base: bool(p.key(PROVIDER_VARIABLES)) for p in KNOWN if p.lists}
_keys = {"OLLAMA_API_BASE": "", "LM_STUDIO_API_BASE": ""}
_keys |= {p.base: p.keys[0] for p in KNOWN if p.openai_url}
# Addresses that only LiteLLM understands, such as Azure's with a query, are not changed.
for _name in PROVIDER_VARIABLES.keys() & _bases.keys():
    PROVIDER_VARIABLES[_name] = (
        _env.address(_name, key=_keys.get(_name), is_used=_bases[_name]) or ""
    )
TALOS_LOCAL_MODELS = _env.choice("TALOS_LOCAL_MODELS", "1", ("0", "1")) == "1"
"""Look for Ollama and LM Studio on this machine."""
TALOS_DEFAULT_MODEL = _env.text("TALOS_DEFAULT_MODEL")
TALOS_SYSTEM_PROMPT = _env.text_or_file("TALOS_SYSTEM_PROMPT") or (
    "You are Talos, a helpful assistant. Answer in the language of the question, "
    "briefly where that is enough, and in Markdown where it helps."
)

# --- storage ------------------------------------------------------------------------------------

DATA_DIR = _env.folder("TALOS_DATA_DIR", BASE_DIR / "data")
TALOS_SQLITE_SYNC = _env.choice("TALOS_SQLITE_SYNC", "NORMAL", ("NORMAL", "FULL"))
_database_url = _env.text("DATABASE_URL")
DATABASES: dict[str, dict[str, Any]] = {
    "default": configuration.postgresql(_database_url)
    if _database_url
    else configuration.sqlite(DATA_DIR, TALOS_SQLITE_SYNC)
}
TALOS_RETENTION_DAYS = _env.whole_or_none("TALOS_RETENTION_DAYS", least=1, most=36_500)
"""Days after which a conversation that is not pinned is deleted; None: never."""
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL_IS_SET = _env.text("REDIS_URL") is not None
"""Not used in this version; a check warns about it (`chat/checks.py`)."""
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels.layers.InMemoryChannelLayer",
        # An expired message would remove its socket from all groups: longer than any stall.
        "CONFIG": {"capacity": 1000, "expiry": 86_400, "group_expiry": 172_800},
    }
}

# --- who may come in ----------------------------------------------------------------------------

TALOS_AUTH = _env.choice("TALOS_AUTH", "local", ("local", "login"))
if TALOS_AUTH == "login":
    raise ImproperlyConfigured("TALOS_AUTH=login is not in this version: unset it, or use local.")

HOST = _env.text("HOST") or "127.0.0.1"
PORT = _env.whole("PORT", 8000, most=65_535)
"""0: any free port."""
# Exact names protect against DNS rebinding. This machine's names are always included, for health
# checks; HOST may be another loopback address.
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]", *_env.names("TALOS_ALLOWED_HOSTS", (HOST,))]
CSRF_TRUSTED_ORIGINS: list[str] = []
"""Origins other than the request's own, `scheme://host:port`, for pages behind a proxy."""

SECRET_KEY = (
    secret.check(_key) if (_key := _env.text("SECRET_KEY")) else secret.read_or_create(DATA_DIR)
)

# --- turns --------------------------------------------------------------------------------------

TIME_ZONE = (
    clock.check(_zone) if (_zone := _env.text("TALOS_TIME_ZONE")) else clock.of_this_machine()
)
TALOS_APPROVAL_DAYS = _env.whole("TALOS_APPROVAL_DAYS", 7, least=1, most=3650)
TALOS_DRAIN_SECONDS = _env.whole("TALOS_DRAIN_SECONDS", 10, most=3600)
TALOS_TOOL_ROUNDS = _env.whole("TALOS_TOOL_ROUNDS", 12, least=1, most=100)
TALOS_SILENCE_SECONDS = _env.whole("TALOS_SILENCE_SECONDS", 300, least=1, most=86_400)
TALOS_FIRST_TOKEN_SECONDS = _env.whole("TALOS_FIRST_TOKEN_SECONDS", 900, least=1, most=86_400)
TALOS_TURN_SECONDS = _env.whole_or_none("TALOS_TURN_SECONDS", least=1)
"""None: no limit on an answer that keeps coming."""
TALOS_SENDS_PER_MINUTE = _env.whole_or_none("TALOS_SENDS_PER_MINUTE", least=1)
"""None: unlimited."""

# --- tools --------------------------------------------------------------------------------------

TALOS_TOOLS = _env.names("TALOS_TOOLS", ("tools",))
"""A package stands for all modules in it."""
WORKSPACE = DATA_DIR / "workspace"
"""The only place for the files of tools."""

UNKNOWN_VARIABLES = _env.unknown(beginning="TALOS_")
"""Variables that nothing reads, each with the name probably meant. Last, when all are read."""

# --- the project --------------------------------------------------------------------------------

DEBUG = False
ROOT_URLCONF = "talos_site.urls"
ASGI_APPLICATION = "talos_site.asgi.application"
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "django_htmx",
    "chat",
    "talos_site",
]
MIDDLEWARE = [
    "chat.access.headers.content_security_policy",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "chat.access.gate.gate",
    "talos_site.static_files.StaticFiles",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "chat.access.owner.LocalOwnerMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "chat.access.unavailable.Unavailable",
    "chat.access.refusals.Refusals",
]
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "chat.views.appearance.appearance",
            ]
        },
    }
]
LANGUAGE_CODE = "en"
FORMAT_MODULE_PATH = "talos_site.formats"
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "talos_site.static_files.Storage"},
}
WHITENOISE_ALLOW_ALL_ORIGINS = False

# All ports of a host share cookies: our own names avoid clashes with other local programs.
SESSION_COOKIE_NAME = "talos_session"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_NAME = "talos_csrf"
CSRF_COOKIE_HTTPONLY = True  # pages carry the token in `hx-headers` and in forms
CSRF_COOKIE_SAMESITE = "Lax"
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_048_576
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1000
"""The admin's list actions send one field per row."""
FILE_UPLOAD_MAX_MEMORY_SIZE = 1_048_576
# Plain HTTP on loopback: no HSTS, no redirect to HTTPS and no cookies that only HTTPS carries.
SILENCED_SYSTEM_CHECKS = ["security.W004", "security.W008", "security.W012", "security.W016"]

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"style": "{", "format": "{asctime} {levelname} {name}: {message}"},
    },
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "formatter": "line"},
        "none": {"class": "logging.NullHandler"},
    },
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        "chat": {"level": "INFO"},
        "tools": {"level": "INFO"},
        # Django's own handlers (mail to admins, a debug console) are not used.
        "django": {"handlers": [], "level": "WARNING", "propagate": True},
        "django.request": {"level": "ERROR"},  # a 404 is not worth a line
        # A foreign Host, too many fields or an odd admin filter gets a 400. A traceback for each
        # would let anyone fill the log.
        "django.security": {"handlers": ["none"], "propagate": False},
        "django.security.csrf": {"handlers": ["stderr"], "propagate": False},
        "daphne": {"level": "WARNING"},
        # The code that needs the connection reports its absence.
        "psycopg.pool": {"level": "ERROR"},
    },
}
