"""The app of plans, draws, visits and what they weigh on a trader."""

from django.apps import AppConfig


class SupervisionConfig(AppConfig):
    name = "getihu.supervision"
    label = "supervision"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from getihu.cases.ports import when_decided, when_ended, when_passing
        from getihu.supervision.services.repairing import RepairKeeper

        when_decided(RepairKeeper())
        when_ended(RepairKeeper())
        when_passing(RepairKeeper())
