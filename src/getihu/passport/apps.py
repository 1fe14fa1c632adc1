"""The app of the electronic licence and the 企业码."""

from django.apps import AppConfig


class PassportConfig(AppConfig):
    name = "getihu.passport"
    label = "passport"
    default_auto_field = "django.db.models.BigAutoField"
