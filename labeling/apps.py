"""Django application `labeling`."""

from django.apps import AppConfig


class LabelingConfig(AppConfig):
    """Settings of the application."""

    name = "labeling"

    def ready(self) -> None:
        """Keep what is labelled blindly closed to every road that writes into a layer."""
        from labeling import sheet_edits
        from webapp.features import guarding

        guarding.register(sheet_edits.GUARD)
