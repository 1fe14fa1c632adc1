from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    name = "getihu.notifications"
    label = "notifications"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from getihu.notifications import checks  # noqa: F401  registers the start-up refusals
