"""Issuer keys in files: one P-256 key signs, earlier ones verify. Readable by the service alone."""

import json
import os
import secrets
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.conf import settings
from openvc.keys import P256SigningKey


class FileKeyRing:
    """Keys under ``PASSPORT_KEY_DIR``: ``<kid>.pem`` private, ``<kid>.json`` public, ``current``
    the id of the one that signs. A withdrawn key loses its public file."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or Path(settings.PASSPORT_KEY_DIR)

    def current(self) -> P256SigningKey:
        name = self.folder / "current"
        kid = name.read_text("ascii") if name.exists() else self.rotate()
        return P256SigningKey.from_pem((self.folder / f"{kid}.pem").read_bytes(), kid)

    def public_keys(self) -> dict[str, dict[str, Any]]:
        if not self.folder.exists():
            return {}
        return {p.stem: json.loads(p.read_text("ascii")) for p in self.folder.glob("*.json")}

    def rotate(self, *, withdraw: bool = False) -> str:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        name = self.folder / "current"
        before = name.read_text("ascii") if name.exists() else ""
        kid = f"k{secrets.token_hex(6)}"
        private = ec.generate_private_key(ec.SECP256R1())
        pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        _write(self.folder / f"{kid}.pem", pem)
        public = {**P256SigningKey(private, kid).public_jwk(), "kid": kid, "alg": "ES256"}
        _write(self.folder / f"{kid}.json", json.dumps(public).encode())
        _write(name, kid.encode())
        if before:
            (self.folder / f"{before}.pem").unlink(missing_ok=True)
            if withdraw:
                (self.folder / f"{before}.json").unlink(missing_ok=True)
        return kid


def from_settings() -> FileKeyRing:
    return FileKeyRing()


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all; nobody else may read it."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
