"""The app of types, pools and recognitions: hangs them on what the cases decide."""

from django.apps import AppConfig


class GrowthConfig(AppConfig):
    name = "getihu.growth"
    label = "growth"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from getihu.cases.ports import when_decided, when_passing
        from getihu.growth.services.objecting import ObjectionHolds
        from getihu.growth.services.recognising import RecognitionFollows, RecognitionGate

        when_decided(ObjectionHolds())
        when_decided(RecognitionFollows())
        when_passing(RecognitionGate())
