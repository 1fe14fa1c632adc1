"""The app of appeals and of help."""

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class SupportConfig(AppConfig):
    name = "getihu.support"
    label = "support"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        post_migrate.connect(_keep_moves, sender=self)


def _keep_moves(using: str, **_: Any) -> None:
    """The table of moves is part of the schema: it is there again after the tables were emptied."""
    from getihu.support.machine import MOVES
    from getihu.support.models import AllowedMove

    AllowedMove.objects.using(using).bulk_create(
        (AllowedMove(before=move.before.value, after=move.after.value) for move in MOVES),
        ignore_conflicts=True,
    )
