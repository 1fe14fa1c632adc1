"""Texts kept by what they say: rule files and fact declarations that slips rest on.

A text never changes under its name, which is its SHA-256, so writing twice does no harm.
"""

import hashlib
import os
import tempfile
from pathlib import Path

from django.conf import settings

from getihu.kernel.errors import GetihuError


class NotArchived(GetihuError):
    """The archive does not hold a text, or no longer holds it as it was."""

    exit_code = 3


def fingerprint(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def keep(content: bytes) -> str:
    """Keep a text for good; returns its fingerprint. Durable when this returns."""
    name = fingerprint(content)
    target = _path(name)
    if target.exists() and target.read_bytes() == content:
        return name
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, unfinished = tempfile.mkstemp(dir=target.parent, prefix=".keep-")
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    Path(unfinished).chmod(0o444)
    Path(unfinished).replace(target)
    return name


def find(name: str) -> bytes:
    """A text by its fingerprint. Raises NotArchived when it is not there or was altered."""
    path = _path(name)
    if not name or not path.exists():
        raise NotArchived(
            f"归档里没有指纹为 {name[:12]} 的文本。处理办法：从备份恢复 {_root()}，再重放。"
        )
    content = path.read_bytes()
    if fingerprint(content) != name:
        raise NotArchived(f"归档里指纹为 {name[:12]} 的文本被改动过。处理办法：从备份恢复 {path}。")
    return content


def _root() -> Path:
    return Path(settings.DATA_DIR) / "rulebook" / "archive"


def _path(name: str) -> Path:
    plain = "".join(c for c in name if c in "0123456789abcdef")  # never outside the folder
    return _root() / plain[:2] / plain
