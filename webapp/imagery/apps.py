"""Django application `imagery`."""

from django.apps import AppConfig
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from webapp.remote import policy
from webapp.remote.policy import BadRule, Origin, Policy, Store


class ImageryConfig(AppConfig):
    """Settings of the application."""

    name = "webapp.imagery"

    def ready(self) -> None:
        """Let this process ask the servers that the settings name."""
        policy.configure(remote_policy())


def remote_policy() -> Policy:
    """Return which other servers may be asked, from the settings.

    Raises:
        ImproperlyConfigured: a server or bucket is named in a way that cannot be understood.
    """
    setting = "QUADRAT_REMOTE_HOSTS"
    try:
        open_hosts = [Origin.parse(text) for text in settings.REMOTE_HOSTS]
        setting = "QUADRAT_REMOTE_PRIVATE_HOSTS"
        private_hosts = [Origin.parse(text, private=True) for text in settings.REMOTE_PRIVATE_HOSTS]
        setting = "QUADRAT_REMOTE_S3_BUCKETS"
        store = Store.parse(
            endpoint=settings.REMOTE_S3_ENDPOINT,
            buckets=settings.REMOTE_S3_BUCKETS,
            region=settings.REMOTE_S3_REGION,
            key_id=settings.REMOTE_S3_KEY_ID,
            secret=settings.REMOTE_S3_SECRET,
        )
    except BadRule as error:
        raise ImproperlyConfigured(f"{setting}: {error}") from error
    # A server of the own network goes first: it may be named in both.
    origins = (*private_hosts, *open_hosts)
    return Policy(origins, store, settings.REMOTE_TIMEOUT_S, settings.REMOTE_CACHE_BYTES)
