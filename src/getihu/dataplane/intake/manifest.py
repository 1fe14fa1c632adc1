"""Signed manifests: what a delivery says it holds, and whether the files agree."""

import base64
import hashlib
import json
import re
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from getihu.dataplane.contracts import DatasetContract
from getihu.kernel.errors import GetihuError, nearest_name
from getihu.reference import selectors as reference

FORMAT: Final = "getihu-delivery/1"
MANIFEST: Final = "manifest.json"
SIGNATURE: Final = "manifest.sig"
MAX_MANIFEST_BYTES: Final = 1 << 20
MAX_FILE_BYTES: Final = 8 << 30
ENCODINGS: Final = (None, "utf-8", "gb18030")
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
_CHUNK: Final = 1 << 20
_KEYS: Final = {
    "format",
    "delivery_id",
    "dataset",
    "department",
    "period",
    "issued_at",
    "covers_until",
    "divisions",
    "corrects",
    "files",
}
_FILE_KEYS: Final = {"name", "bytes", "sha256", "sm3", "rows", "encoding"}
WENZHOU: Final = "330300"


class Rejected(GetihuError):
    """The delivery cannot be trusted or read: nothing of it is used."""


@dataclass(frozen=True)
class DeliveredFile:
    """One file of a delivery. ``rows`` counts records without the header."""

    name: str
    bytes: int
    sha256: str
    sm3: str
    rows: int
    encoding: str | None


@dataclass(frozen=True)
class Manifest:
    """What a department signed. ``issued_at`` is the known time of every row."""

    delivery_id: str
    dataset: str
    department: str
    period: str
    issued_at: datetime
    covers_until: date
    divisions: tuple[str, ...]
    corrects: str | None
    files: tuple[DeliveredFile, ...]

    @property
    def content_sha256(self) -> str:
        """One digest over what was delivered, whatever the files are called."""
        parts = sorted(file.sha256 for file in self.files)
        head = f"{self.dataset}|{self.issued_at.isoformat()}|{self.covers_until}|{self.corrects}"
        head += "|" + ",".join(sorted(self.divisions))
        return hashlib.sha256("\n".join([head, *parts]).encode()).hexdigest()

    @property
    def rows(self) -> int:
        return sum(file.rows for file in self.files)


def read_manifest(folder: Path, keys_dir: Path, contracts: dict[str, DatasetContract]) -> Manifest:
    """Return the manifest of a delivery folder once its signature holds.

    Raises: Rejected, with what to do, when it is missing, forged, damaged or names a dataset,
    department or county that does not exist.
    """
    path, signature = folder / MANIFEST, folder / SIGNATURE
    if not path.is_file() or not signature.is_file():
        raise Rejected(
            f"{folder.name}：缺少 {MANIFEST} 或 {SIGNATURE}。处理办法：连同签名重新送达。"
        )
    if path.stat().st_size > MAX_MANIFEST_BYTES:
        raise Rejected(f"{folder.name}：清单过大。处理办法：核对是否送错文件。")
    raw = path.read_bytes()
    content = _parse(folder, raw)
    department = content["department"]
    _check_signature(folder, raw, signature.read_bytes(), keys_dir / f"{department}.pem")
    manifest = _manifest(folder, content)
    contract = contracts.get(manifest.dataset)
    if contract is None:
        near = nearest_name(manifest.dataset, contracts)
        hint = f"是不是 {near}？" if near else "请先登记数据契约。"
        raise Rejected(f"{folder.name}：没有数据集“{manifest.dataset}”。处理办法：{hint}")
    if contract.department != manifest.department:
        raise Rejected(
            f"{folder.name}：数据集《{contract.title}》由{reference.department_name(contract.department)}"
            f"提供，签名的是{reference.department_name(manifest.department)}。处理办法：由主管部门送达。"
        )
    return manifest


def check_files(folder: Path, manifest: Manifest) -> None:
    """Check size and both digests of every file. Raises Rejected naming the first that differs."""
    listed = {file.name for file in manifest.files}
    present = {p.name for p in folder.iterdir()} - {MANIFEST, SIGNATURE}
    if present - listed:
        raise Rejected(
            f"{manifest.delivery_id}：清单之外的文件 {'、'.join(sorted(present - listed))}。"
            "处理办法：列入清单并重新签名，或移走。"
        )
    for file in manifest.files:
        path = folder / file.name
        if not path.is_file() or path.is_symlink():
            raise Rejected(
                f"{manifest.delivery_id}：清单中的文件 {file.name} 不在。处理办法：补齐后重新送达。"
            )
        if path.stat().st_size != file.bytes or digests(path) != (file.sha256, file.sm3):
            raise Rejected(
                f"{manifest.delivery_id}：文件 {file.name} 与清单的摘要不符，可能在传送中损坏或被改动。"
                "处理办法：重新送达原文件。"
            )


def digests(path: Path) -> tuple[str, str]:
    """Return the SHA-256 and SM3 digests of a file, hexadecimal."""
    sha256, sm3 = hashlib.sha256(), hashes.Hash(hashes.SM3())
    with path.open("rb") as handle:
        while chunk := handle.read(_CHUNK):
            sha256.update(chunk)
            sm3.update(chunk)
    return sha256.hexdigest(), sm3.finalize().hex()


def _parse(folder: Path, raw: bytes) -> dict[str, Any]:
    try:
        content = json.loads(raw.decode("utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError):
        raise Rejected(f"{folder.name}：清单不是 UTF-8 的 JSON。处理办法：重新生成清单。") from None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise Rejected(f"{folder.name}：清单格式不是 {FORMAT}。处理办法：按数据契约说明重新生成。")
    missing, unknown = _KEYS - content.keys(), content.keys() - _KEYS
    if missing or unknown:
        raise Rejected(
            f"{folder.name}：清单缺少 {sorted(missing)}，多出 {sorted(unknown)}。处理办法：按说明改正。"
        )
    names = [content["delivery_id"], content["dataset"], content["department"]]
    if not all(isinstance(name, str) and _NAME.fullmatch(name) for name in names):
        raise Rejected(f"{folder.name}：批次号、数据集、部门代码只能用字母、数字和 ._-。")
    return content


def _check_signature(folder: Path, raw: bytes, signature: bytes, key_path: Path) -> None:
    if not key_path.is_file():
        raise Rejected(
            f"{folder.name}：没有部门“{key_path.stem}”的公钥。处理办法：管理员把公钥放到 {key_path.parent.name}/"
            f"{key_path.name}。"
        )
    key = serialization.load_pem_public_key(key_path.read_bytes())
    if not isinstance(key, Ed25519PublicKey):
        raise Rejected(f"{folder.name}：部门公钥不是 Ed25519。处理办法：更换公钥。")
    try:
        key.verify(base64.b64decode(signature.strip(), validate=True), raw)
    except (InvalidSignature, ValueError):
        raise Rejected(
            f"{folder.name}：清单的签名不对，可能被改动或不是该部门签的。处理办法：请部门重新签名送达。"
        ) from None


def _manifest(folder: Path, content: dict[str, Any]) -> Manifest:
    try:
        files = tuple(_file(entry) for entry in content["files"])
        manifest = Manifest(
            delivery_id=content["delivery_id"],
            dataset=content["dataset"],
            department=content["department"],
            period=str(content["period"]),
            issued_at=datetime.fromisoformat(content["issued_at"]),
            covers_until=date.fromisoformat(content["covers_until"]),
            divisions=tuple(content["divisions"]),
            corrects=content["corrects"],
            files=files,
        )
    except (TypeError, ValueError, KeyError) as error:
        raise Rejected(
            f"{folder.name}：清单内容不合规定（{error}）。处理办法：按说明改正。"
        ) from None
    counties = {county.code for county in reference.list_counties()} | {WENZHOU}
    wrong = sorted(set(manifest.divisions) - counties)
    if wrong or not manifest.divisions:
        raise Rejected(
            f"{folder.name}：清单的县区 {wrong or '为空'} 不存在。处理办法：写 330300 或县区代码。"
        )
    if manifest.issued_at.tzinfo is None:
        raise Rejected(
            f"{folder.name}：清单的签发时间没有时区。处理办法：写成 2026-10-31T08:00:00+08:00。"
        )
    return manifest


def _file(entry: dict[str, Any]) -> DeliveredFile:
    if set(entry) != _FILE_KEYS:
        raise ValueError(f"文件项应有 {sorted(_FILE_KEYS)}")
    file = DeliveredFile(**entry)
    if not _NAME.fullmatch(file.name) or file.name in (MANIFEST, SIGNATURE):
        raise ValueError(f"文件名 {file.name!r} 不合规定")
    if file.encoding not in ENCODINGS:
        raise ValueError(f"编码只能是 utf-8 或 gb18030，不能是 {file.encoding!r}")
    if not 0 <= int(file.bytes) <= MAX_FILE_BYTES or int(file.rows) < 0:
        raise ValueError("文件大小或行数不合规定")
    return file
