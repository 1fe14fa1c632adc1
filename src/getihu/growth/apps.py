"""The app of types, pools, recognitions, profiles and conversions: hangs them on what cases decide."""

from django.apps import AppConfig


class GrowthConfig(AppConfig):
    name = "getihu.growth"
    label = "growth"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from getihu.cases.ports import when_decided, when_ended, when_passing
        from getihu.growth.services.contesting import ObjectionKeeper
        from getihu.growth.services.converting import ConversionKeeper
        from getihu.growth.services.objecting import ObjectionHolds
        from getihu.growth.services.recognising import RecognitionFollows, RecognitionGate

        when_decided(ObjectionHolds())
        when_decided(RecognitionFollows())
        when_decided(ObjectionKeeper())
        when_ended(ObjectionKeeper())
        when_decided(ConversionKeeper())
        when_passing(RecognitionGate())
