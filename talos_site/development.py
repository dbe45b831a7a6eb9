"""Settings of `make dev`: the product's own, with Django's debug pages and nothing built or cached.

Never for a server that others can reach: an error page shows code and settings.
"""

from __future__ import annotations

from talos_site import settings as product
from talos_site.settings import *  # noqa: F403

DEBUG = True
STORAGES = {
    **product.STORAGES,
    # straight from `static/`, unhashed
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
_options = {
    **product.TEMPLATES[0]["OPTIONS"],
    # without Django's cache: a changed template shows on the next reload of the page
    "loaders": [
        "django.template.loaders.filesystem.Loader",
        "django.template.loaders.app_directories.Loader",
    ],
}
TEMPLATES = [{**product.TEMPLATES[0], "APP_DIRS": False, "OPTIONS": _options}]
