"""The traders' own keys, kept for them and sealed: what a presentation is answered with."""

import contextlib
import os
from datetime import datetime
from pathlib import Path

from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.conf import settings
from openvc.keys import P256SigningKey

from getihu.passport.models import WalletKey


def holder_key(trader_code: str, *, at: datetime) -> P256SigningKey:
    """The key of one trader; made by the first use."""
    row = WalletKey.objects.filter(pk=trader_code).first()
    if row is None:
        private = ec.generate_private_key(ec.SECP256R1())
        pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        row, _ = WalletKey.objects.get_or_create(
            trader_code=trader_code, defaults={"sealed": _sealer().encrypt(pem), "made_at": at}
        )
    return P256SigningKey.from_pem(_sealer().decrypt(bytes(row.sealed)), "holder")


def _sealer() -> Fernet:
    path = Path(settings.WALLET_KEY_FILE)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(f".{path.name}.{os.getpid()}")
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as f:
            f.write(Fernet.generate_key())
            f.flush()
            os.fsync(f.fileno())
        with contextlib.suppress(FileExistsError):  # another process has just made one
            os.link(unfinished, path)
        unfinished.unlink()
    return Fernet(path.read_bytes())
