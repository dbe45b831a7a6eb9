"""Settings of `make dev`: the normal ones, with Django's debug pages and without builds or caches.

Never for a server that others can reach: an error page shows code and settings.
"""

from __future__ import annotations

from talos_site import settings as product
from talos_site.settings import *  # noqa: F403

DEBUG = True
STORAGES = {
    **product.STORAGES,
    # directly from `static/`, unhashed
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
_options = {
    **product.TEMPLATES[0]["OPTIONS"],
    # without Django's cache, so that a changed template shows when the page is reloaded
    "loaders": [
        "django.template.loaders.filesystem.Loader",
        "django.template.loaders.app_directories.Loader",
    ],
}
TEMPLATES = [{**product.TEMPLATES[0], "APP_DIRS": False, "OPTIONS": _options}]
