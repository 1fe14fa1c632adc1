"""The app of the policies: keeps the table of moves as the code has it."""

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class PoliciesConfig(AppConfig):
    name = "getihu.policies"
    label = "policies"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from getihu.cases.ports import when_decided
        from getihu.policies.services.granting import GrantsArePaid

        when_decided(GrantsArePaid())
        post_migrate.connect(_keep_moves, sender=self)


def _keep_moves(using: str, **_: Any) -> None:
    """After an emptying of the tables (a demo that starts over, a test) too."""
    from getihu.policies.machine import MOVES
    from getihu.policies.models import AllowedMove

    pairs = sorted({(move.before.value, move.after.value) for move in MOVES})
    AllowedMove.objects.using(using).bulk_create(
        (AllowedMove(before=before, after=after) for before, after in pairs),
        ignore_conflicts=True,
    )
