"""Django is configured once a process; each application then has the URLs of the one that was made last."""

from __future__ import annotations

import sys
from types import ModuleType

__all__ = ["configure"]

NAME = "urls_of_a_test"


def configure() -> ModuleType:
    """Configures Django; returns a new module of URLs, to be filled."""
    import django
    from django.conf import settings
    from django.urls import clear_url_caches

    if not settings.configured:
        settings.configure(
            ALLOWED_HOSTS=["*"],
            ROOT_URLCONF=NAME,
            SECRET_KEY="not a secret",
            MIDDLEWARE=["django.middleware.common.CommonMiddleware"],
            LOGGING_CONFIG=None,
            USE_TZ=True,
        )
        django.setup()
    clear_url_caches()
    urls = sys.modules[NAME] = ModuleType(NAME)
    return urls
