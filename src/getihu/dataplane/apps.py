from django.apps import AppConfig


class DataplaneConfig(AppConfig):
    name = "getihu.dataplane"
    label = "dataplane"
    default_auto_field = "django.db.models.BigAutoField"
