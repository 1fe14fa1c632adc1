"""A form that is sent twice acts once (a retried POST, a double click, a lost answer)."""

import uuid
from collections.abc import Callable
from datetime import datetime

from django.db import IntegrityError, transaction

from getihu.accounts.contracts import Actor
from getihu.cases.models import HandledPost
from getihu.kernel.errors import GetihuError


class KeyUsed(GetihuError):
    """The key came before with another request."""


def once(key: uuid.UUID, asked: str, do: Callable[[], str], *, by: Actor, at: datetime) -> str:
    """Do something and return where it led; for a key that came before, only where it led.

    ``asked`` is a digest of the request: the same key with another request is refused. The key is
    kept in the transaction of the change, so that both are there or neither.
    """
    try:
        with transaction.atomic():
            row = HandledPost.objects.create(account_id=by.account_id, key=key, asked=asked, at=at)
            row.led_to = do()
            row.save(update_fields=["led_to"])
            return row.led_to
    except IntegrityError:
        before = HandledPost.objects.filter(account_id=by.account_id, key=key).first()
        if before is None:
            raise
        if before.asked != asked:
            raise KeyUsed("这张表单已经用过。处理办法：刷新页面再办。") from None
        return before.led_to
