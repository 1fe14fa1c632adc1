"""The app of the flows over several slices: hangs them on what the slices tell."""

from django.apps import AppConfig


class JourneysConfig(AppConfig):
    name = "getihu.journeys"
    label = "journeys"

    def ready(self) -> None:
        from getihu.cases.ports import when_decided
        from getihu.entry.ports import when_filed
        from getihu.journeys.services import (
            AwardsFollowSuccession,
            LicenceFollowsRegister,
            PermitIntoWallet,
        )

        when_filed(LicenceFollowsRegister())
        when_filed(AwardsFollowSuccession())
        when_decided(PermitIntoWallet())
