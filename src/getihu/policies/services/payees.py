"""Bank accounts of traders: sealed at rest, opened only to write a payment file."""

import contextlib
import os
import re
from datetime import datetime
from pathlib import Path

from cryptography.fernet import Fernet
from django.conf import settings

from getihu.accounts.contracts import Actor
from getihu.kernel.errors import GetihuError
from getihu.policies.models import PayeeAccount

_NUMBER = re.compile(r"\d{9,30}")


class BadAccount(GetihuError):
    """What was written is no bank account."""


def keep_account(
    trader_code: str, *, number: str, bank: str, by: Actor, at: datetime
) -> PayeeAccount:
    """The account now in use for a trader; the one before stays with the payments made to it.

    Raises BadAccount.
    """
    digits = re.sub(r"[\s-]", "", number)
    if not _NUMBER.fullmatch(digits):
        raise BadAccount("账号应该是 9 到 30 位数字。处理办法：照存折或银行卡再填一次。")
    if not bank.strip():
        raise BadAccount("没有写开户银行。处理办法：写上开户银行，例如“农业银行”。")
    PayeeAccount.objects.filter(trader_code=trader_code, replaced_at=None).update(replaced_at=at)
    return PayeeAccount.objects.create(
        trader_code=trader_code,
        sealed=_sealer().encrypt(digits.encode()),
        ending=digits[-4:],
        bank=bank.strip()[:60],
        consented_at=at,
        by_id=by.account_id,
    )


def open_account(account: PayeeAccount) -> str:
    """The whole number, for the payment file and nothing else."""
    return _sealer().decrypt(bytes(account.sealed)).decode()


def _sealer() -> Fernet:
    path = Path(settings.PAYEE_KEY_FILE)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(f".{path.name}.{os.getpid()}")
        handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(Fernet.generate_key())
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):  # another process has just made one
            os.link(unfinished, path)
        unfinished.unlink()
    return Fernet(path.read_bytes())
