"""The app of appeals and of help."""

from django.apps import AppConfig


class SupportConfig(AppConfig):
    name = "getihu.support"
    label = "support"
    default_auto_field = "django.db.models.BigAutoField"
