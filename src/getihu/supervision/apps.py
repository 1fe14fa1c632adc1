"""The app of plans, draws, visits and what they weigh on a trader."""

from django.apps import AppConfig


class SupervisionConfig(AppConfig):
    name = "getihu.supervision"
    label = "supervision"
    default_auto_field = "django.db.models.BigAutoField"
