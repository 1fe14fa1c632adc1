from django.apps import AppConfig


class RulebookConfig(AppConfig):
    name = "getihu.rulebook"
    label = "rulebook"
    default_auto_field = "django.db.models.BigAutoField"
