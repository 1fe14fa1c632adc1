"""The app of entry."""

from django.apps import AppConfig


class EntryConfig(AppConfig):
    name = "getihu.entry"
    label = "entry"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from getihu.cases.ports import when_decided
        from getihu.entry.services import RegisterKeeper

        when_decided(RegisterKeeper())
