"""Signed notes, checkpoints and proof files: c2sp.org/signed-note, tlog-checkpoint, tlog-proof."""

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from getihu.audit.contracts import Checkpoint
from getihu.audit.ports import Signer, Verifier
from getihu.kernel.errors import GetihuError

DASH: Final = "— "
PROOF_HEADER: Final = "c2sp.org/tlog-proof@v1"
MOST_SIGNATURES: Final = 16
_KEY_NAME: Final = re.compile(r"[^\s+]+")
_NUMBER: Final = re.compile(r"0|[1-9][0-9]*", re.ASCII)


class InvalidNote(GetihuError):
    """A text that is no signed note, or none that a known key signed."""

    exit_code = 4


@dataclass(frozen=True)
class Signature:
    name: str
    key_id: bytes
    signature: bytes


def key_id(name: str, typed_key: bytes) -> bytes:
    """Return the four bytes that name a key; ``typed_key`` is signature type and public key."""
    if not _KEY_NAME.fullmatch(name):
        raise InvalidNote("密钥名不能为空，也不能含空白或加号")
    return hashlib.sha256(name.encode() + b"\n" + typed_key).digest()[:4]


def verifier_key(name: str, typed_key: bytes) -> str:
    """Return the one-line text by which a key is published."""
    return f"{name}+{key_id(name, typed_key).hex()}+{base64.b64encode(typed_key).decode()}"


def sign(text: str, signers: Iterable[Signer]) -> str:
    """Return the signed note, one line per signer."""
    if not text.endswith("\n") or any(ord(c) < 0x20 and c != "\n" for c in text):
        raise InvalidNote("要签名的文字必须以换行结尾，且不含控制字符")
    lines = []
    for signer in signers:
        signature = signer.verifier.key_id + signer.sign(text.encode())
        lines.append(f"{DASH}{signer.verifier.name} {base64.b64encode(signature).decode()}\n")
    return f"{text}\n{''.join(lines)}"


def parse(note: str) -> tuple[str, list[Signature]]:
    """Return the text and the signatures, none of them checked. Raises InvalidNote."""
    text, blank, tail = note.rpartition("\n\n")
    if not blank or not tail.endswith("\n") or any(ord(c) < 0x20 and c != "\n" for c in note):
        raise InvalidNote("不是签名文本：缺少正文、空行或签名行")
    signatures = []
    for line in tail.removesuffix("\n").split("\n"):
        name, _, encoded = line.removeprefix(DASH).partition(" ")
        try:
            raw = base64.b64decode(encoded, validate=True)
        except binascii.Error:
            raw = b""
        if not line.startswith(DASH) or not _KEY_NAME.fullmatch(name) or len(raw) < 5:
            raise InvalidNote("签名行的格式不对")
        signatures.append(Signature(name, raw[:4], raw[4:]))
    if len(signatures) > MOST_SIGNATURES:
        raise InvalidNote("签名行太多")
    return text + "\n", signatures


def verify(note: str, verifiers: Iterable[Verifier]) -> str:
    """Return the text once at least one known key signed it and no known key's line is wrong."""
    text, signatures = parse(note)
    known = {(v.name, v.key_id): v for v in verifiers}
    verified = 0
    for signature in signatures:
        verifier = known.get((signature.name, signature.key_id))
        if verifier is None:
            continue
        if not verifier.verify(text.encode(), signature.signature):
            raise InvalidNote(f"{signature.name} 的签名不成立")
        verified += 1
    if not verified:
        raise InvalidNote("没有一个已知密钥的签名")
    return text


def checkpoint_text(origin: str, size: int, root: bytes) -> str:
    if not _KEY_NAME.fullmatch(origin):
        raise InvalidNote("日志名（origin）不能为空，也不能含空白或加号")
    return f"{origin}\n{size}\n{base64.b64encode(root).decode()}\n"


def read_checkpoint(note: str, origin: str, verifiers: Iterable[Verifier]) -> Checkpoint:
    """Return a checkpoint of this log. Raises InvalidNote unless a known key signed it."""
    lines = verify(note, verifiers).split("\n")
    if lines[0] != origin:
        raise InvalidNote(f"检查点属于另一个日志“{lines[0]}”")
    if len(lines) < 4 or not _NUMBER.fullmatch(lines[1]):
        raise InvalidNote("检查点的条数写法不对")
    try:
        root = base64.b64decode(lines[2], validate=True)
    except binascii.Error:
        root = b""
    if len(root) != 32:
        raise InvalidNote("检查点的根散列写法不对")
    return Checkpoint(int(lines[1]), root, note)


def proof_text(index: int, path: Sequence[bytes], checkpoint: str, extra: bytes = b"") -> str:
    """Return a proof file: proof and checkpoint together, to be checked without a network."""
    lines = [PROOF_HEADER]
    if extra:
        lines.append(f"extra {base64.b64encode(extra).decode()}")
    lines.append(f"index {index}")
    lines += [base64.b64encode(hash_).decode() for hash_ in path]
    return "\n".join(lines) + "\n\n" + checkpoint
