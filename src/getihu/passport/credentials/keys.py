"""Issuer keys in files: one P-256 key signs, earlier ones verify; an SM2 key signs beside it. Readable
by the service alone."""

import base64
import json
import os
import secrets
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.conf import settings
from openvc.keys import P256SigningKey

from getihu.kernel import sm2
from getihu.kernel.errors import GetihuError


class Sm2Key:
    """SM2 with SM3 beside ES256. No name is registered for it in JOSE: ``alg`` is ours
    (本项目设定，非官方)."""

    alg = "SM2-SM3"

    def __init__(self, private_key: bytes, kid: str) -> None:
        self.private_key, self.kid = private_key, kid
        self.public_key = sm2.public_key_of(private_key)

    def sign(self, signing_input: bytes) -> bytes:
        keys = {"private_key": self.private_key, "public_key": self.public_key}
        made = sm2.sign(signing_input, **keys)
        if made is None:
            raise SigningFailed(
                "国密签名没有通过自检。处理办法：再试一次；仍不行请换密钥或密码机。"
            )
        return made

    def public_jwk(self) -> dict[str, Any]:
        x, y = self.public_key[:32], self.public_key[32:]
        named = {"kty": "EC", "crv": "SM2", "kid": self.kid, "alg": self.alg}
        return named | {"x": _text(x), "y": _text(y)}


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


class SigningFailed(GetihuError):
    """A key could not sign."""

    exit_code = 3


class FileKeyRing:
    """Keys under ``PASSPORT_KEY_DIR``: ``<kid>.pem`` private, ``<kid>.json`` public, ``current``
    the id of the one that signs. A withdrawn key loses its public file. ``sm2/`` holds the same of
    the companions, ``<kid>.hex`` private."""

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
        _retire(self.folder, before, withdraw=withdraw)
        if (self.folder / "sm2" / "current").exists():
            self._rotate_companion(withdraw=withdraw)
        return kid

    def companion(self) -> Sm2Key:
        name = self.folder / "sm2" / "current"
        kid = name.read_text("ascii") if name.exists() else self._rotate_companion()
        private = (self.folder / "sm2" / f"{kid}.hex").read_text("ascii")
        return Sm2Key(bytes.fromhex(private), kid)

    def companion_keys(self) -> dict[str, dict[str, Any]]:
        kept = (self.folder / "sm2").glob("*.json")
        return {path.stem: json.loads(path.read_text("ascii")) for path in kept}

    def _rotate_companion(self, *, withdraw: bool = False) -> str:
        folder = self.folder / "sm2"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        before = (folder / "current").read_text("ascii") if (folder / "current").exists() else ""
        key = Sm2Key(sm2.new_private_key(), f"s{secrets.token_hex(6)}")
        _write(folder / f"{key.kid}.hex", key.private_key.hex().encode())
        _write(folder / f"{key.kid}.json", json.dumps(key.public_jwk()).encode())
        _write(folder / "current", key.kid.encode())
        _retire(folder, before, withdraw=withdraw)
        return key.kid


def _retire(folder: Path, kid: str, *, withdraw: bool) -> None:
    """Take the private key away; withdrawn, the public one too."""
    for ending in ("pem", "hex", *(("json",) if withdraw else ())):
        if kid:
            (folder / f"{kid}.{ending}").unlink(missing_ok=True)


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
