"""Sets ``request.actor``: who asks, with the rights of this very moment."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest, HttpResponse

from getihu.accounts.contracts import ANONYMOUS, Actor, Duty
from getihu.accounts.selectors import DEMO_ISSUER, actor_of, is_demo


class ActorMiddleware:
    """Reads the actor anew for each request, so that a revoked right is gone at the next click.

    Stands after Django's session and authentication. Cost: nothing without a session; otherwise
    four look-ups by key.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.actor = _actor(request)  # type: ignore[attr-defined]
        return self.get_response(request)


def _actor(request: HttpRequest) -> Actor:
    account = request.user
    if not account.is_authenticated or not _is_sure(account):
        return ANONYMOUS
    return actor_of(account.pk, datetime.now(UTC))


def _is_sure(account: Any) -> bool:
    """Whether the session rests on all that this account's duty asks for: an officer's on a second
    factor too. People of a demo city have none; that mark is believed in a demo city alone."""
    if account.duty == Duty.PERSON or account.is_verified():
        return True
    return account.identity_issuer == DEMO_ISSUER and is_demo()
