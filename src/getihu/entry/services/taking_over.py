"""Who takes a shop over says so herself: her code, given to who runs it now, stands for her."""

import hashlib
import secrets
import uuid
from datetime import datetime, timedelta

from getihu.accounts.contracts import Actor
from getihu.entry.models import TakeOver
from getihu.kernel.errors import GetihuError

GOOD_FOR = timedelta(days=7)  # 本项目设定，非官方
_LETTERS = "ABCDEFGHJKMNPQRTUWXY346789"


class BadTakeOver(GetihuError):
    """The code is not one, was used, or is too old."""


def make_take_over_code(*, by: Actor, at: datetime) -> str:
    """A code for the account that is signed in, shown once; only its digest is kept."""
    code = "".join(secrets.choice(_LETTERS) for _ in range(10))
    TakeOver.objects.create(code_sha256=_digest(code), account_id=by.account_id, made_at=at)
    return f"{code[:5]}-{code[5:]}"


def find_taker(code: str, *, at: datetime) -> uuid.UUID:
    """Whose promise a code is; the code stays good. Raises BadTakeOver."""
    found = TakeOver.objects.filter(code_sha256=_digest(code), used_at=None).first()
    if found is None or at > found.made_at + GOOD_FOR:
        raise BadTakeOver(
            "接手码不对、用过了，或者过了7天。处理办法：请接手的人登录，在“接手一家店”里重新生成。"
        )
    return found.account_id


def use_up(code: str, *, at: datetime) -> None:
    TakeOver.objects.filter(code_sha256=_digest(code), used_at=None).update(used_at=at)


def _digest(code: str) -> str:
    plain = "".join(c for c in code.upper() if c.isalnum())
    return hashlib.sha256(plain.encode()).hexdigest()
