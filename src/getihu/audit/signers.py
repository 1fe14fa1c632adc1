"""Signers with a key in a file: Ed25519 for everybody, SM2 with SM3 beside it for 密评.

Settings name the functions that open them (``AUDIT_SIGNERS``); a signing machine is one more such
function. The first must be Ed25519: it is the signature every C2SP tool checks.
"""

import base64
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.conf import settings
from django.utils.module_loading import import_string

from getihu.audit.ports import Signer, Verifier
from getihu.audit.tlog import note
from getihu.audit.tlog.tiles import sync_folder, write_durably
from getihu.kernel import sm2
from getihu.kernel.errors import GetihuError

ED25519_TYPE: Final = b"\x01"
# C2SP has assigned no type to SM2: 0xff and a long name, as c2sp.org/signed-note recommends.
SM2_TYPE: Final = b"\xffSM2-SM3/GB-T-32918/1234567812345678"


class KeyMissing(GetihuError):
    """The log's key is not where it was. Nothing is signed without it."""

    exit_code = 3


class SigningFailed(GetihuError):
    """A key could not sign."""

    exit_code = 3


class Ed25519Verifier:
    def __init__(self, name: str, public_key: bytes) -> None:
        self.name = name
        self.key_id = note.key_id(name, ED25519_TYPE + public_key)
        self.vkey = note.verifier_key(name, ED25519_TYPE + public_key)
        self._key = Ed25519PublicKey.from_public_bytes(public_key)

    def verify(self, message: bytes, signature: bytes) -> bool:
        try:
            self._key.verify(signature, message)
        except InvalidSignature:
            return False
        return True


class Ed25519Signer:
    def __init__(self, name: str, private_key: Ed25519PrivateKey) -> None:
        self._key = private_key
        self.verifier = Ed25519Verifier(name, private_key.public_key().public_bytes_raw())

    def sign(self, message: bytes) -> bytes:
        return self._key.sign(message)


class Sm2Verifier:
    """SM2 with SM3 over the standard's default identity; a signature is r || s, 64 bytes."""

    def __init__(self, name: str, public_key: bytes) -> None:
        if not sm2.is_point(public_key):
            raise SigningFailed("SM2 公钥不在曲线上")
        self.name = name
        self.key_id = note.key_id(name, SM2_TYPE + public_key)
        self.vkey = note.verifier_key(name, SM2_TYPE + public_key)
        self._public_key = public_key

    def verify(self, message: bytes, signature: bytes) -> bool:
        return sm2.verify(message, signature, self._public_key)


class Sm2Signer:
    """Not constant in time: for a file key beside Ed25519. A 密码机 takes its place by the port."""

    def __init__(self, name: str, private_key: bytes) -> None:
        self._private_key = private_key
        self.verifier = Sm2Verifier(name, sm2.public_key_of(private_key))

    def sign(self, message: bytes) -> bytes:
        keys = {"private_key": self._private_key, "public_key": self._public_key}
        signature = sm2.sign(message, **keys)
        if signature is None:
            raise SigningFailed(
                "SM2 签名没有通过自检。处理办法：再运行一次；仍不行请换密钥或密码机。"
            )
        return signature

    @property
    def _public_key(self) -> bytes:
        return self.verifier._public_key


def open_signers(*, may_create: bool) -> list[Signer]:
    """Return the signers the settings name. Raises KeyMissing when a key is not there.

    Only the sequencer calls this. It leaves the public keys in ``keys/audit/public`` for those
    who check.
    """
    signers = [import_string(path)(may_create=may_create) for path in settings.AUDIT_SIGNERS]
    vkeys = "".join(f"{signer.verifier.vkey}\n" for signer in signers)
    path = _folder() / "public"
    if not path.exists() or path.read_text("utf-8") != vkeys:
        write_durably(path, vkeys.encode())
    return signers


def read_verifiers() -> list[Verifier]:
    """Return the log's public keys, without touching the private ones. Raises KeyMissing."""
    try:
        vkeys = (_folder() / "public").read_text("utf-8").split()
    except FileNotFoundError:
        raise KeyMissing("日志还没有公钥。处理办法：先运行一次 audit sequence。") from None
    return [verifier_of(vkey) for vkey in vkeys]


@lru_cache(maxsize=8)
def verifier_of(vkey: str) -> Verifier:
    """Return the verifier of a published key line. Raises KeyMissing for an unknown kind."""
    name, _, encoded = vkey.split("+", 2)
    typed = base64.b64decode(encoded)
    made: Verifier | None = None
    if typed.startswith(ED25519_TYPE):
        made = Ed25519Verifier(name, typed[1:])
    elif typed.startswith(SM2_TYPE):
        made = Sm2Verifier(name, typed[len(SM2_TYPE) :])
    if made is None or made.vkey != vkey:
        raise KeyMissing("公钥文件里有不认识或写错的一行。处理办法：运行 audit sequence 重新写出。")
    return made


def verifiers_of(signers: Sequence[Signer]) -> list[Verifier]:
    return [signer.verifier for signer in signers]


def ed25519_from_file(*, may_create: bool) -> Signer:
    """Open (or, for a log without a checkpoint, make) ``keys/audit/ed25519.pem``."""

    def fresh() -> bytes:
        return Ed25519PrivateKey.generate().private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )

    return _ed25519(settings.AUDIT_ORIGIN, _key_file("ed25519.pem", fresh, may_create))


@lru_cache(maxsize=8)
def _ed25519(name: str, text: bytes) -> Signer:
    key = serialization.load_pem_private_key(text, password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyMissing("ed25519.pem 不是 Ed25519 私钥。处理办法：放回本日志的密钥。")
    return Ed25519Signer(name, key)


def sm2_from_file(*, may_create: bool) -> Signer:
    """Open (or, for a log without a checkpoint, make) ``keys/audit/sm2.hex``: 64 hex digits."""

    def fresh() -> bytes:
        return f"{sm2.new_private_key().hex()}\n".encode()

    text = _key_file("sm2.hex", fresh, may_create).strip()
    return _sm2_signer(settings.AUDIT_ORIGIN, bytes.fromhex(text.decode()))


@lru_cache(maxsize=8)
def _sm2_signer(name: str, private_key: bytes) -> Signer:
    return Sm2Signer(name, private_key)


def _folder() -> Path:
    return Path(settings.DATA_DIR) / "keys" / "audit"


def _key_file(name: str, fresh: Callable[[], bytes], may_create: bool) -> bytes:
    path = _folder() / name
    if path.exists():
        return path.read_bytes()
    if not may_create:
        raise KeyMissing(
            f"审计日志的签名密钥 {name} 不在了。处理办法：从密钥备份放回；不要新建，"
            "换了密钥的日志不再是同一个日志。"
        )
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_durably(path, fresh())
    path.chmod(0o600)
    sync_folder(path.parent)
    return path.read_bytes()
