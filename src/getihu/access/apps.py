from django.apps import AppConfig


class AccessConfig(AppConfig):
    name = "getihu.access"
    label = "access"

    def ready(self) -> None:
        from getihu.access import checks  # noqa: F401  registers the check
