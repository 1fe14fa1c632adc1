"""The app of indicators, the plan's targets and what they rest on."""

from django.apps import AppConfig


class InsightConfig(AppConfig):
    name = "getihu.insight"
    label = "insight"
    default_auto_field = "django.db.models.BigAutoField"
