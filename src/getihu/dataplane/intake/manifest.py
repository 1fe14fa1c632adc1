"""Signed manifests: what a delivery says it holds, and whether the files agree."""

import base64
import hashlib
import json
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
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
ENCODINGS: Final = ("utf-8", "gb18030")
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
_PERIOD: Final = re.compile(r"20[0-9]{2}(-(0[1-9]|1[0-2]))?")
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
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
        issued_at = self.issued_at.astimezone(UTC).isoformat()
        head = [self.dataset, self.period, issued_at, str(self.covers_until), str(self.corrects)]
        files = sorted(f"{file.sha256} {file.encoding}" for file in self.files)
        lines = ["|".join(head), ",".join(sorted(self.divisions)), *files]
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()

    @property
    def rows(self) -> int:
        return sum(file.rows for file in self.files)


def read_manifest(folder: Path, keys_dir: Path, contracts: dict[str, DatasetContract]) -> Manifest:
    """Return the manifest of a delivery folder once its signature holds.

    Raises: Rejected, with what to do, when it is missing, forged, damaged or names a dataset,
    department or county that does not exist.
    """
    raw, signature = _read(folder, MANIFEST), _read(folder, SIGNATURE)
    content = _parse(folder, raw)
    _check_signature(folder, raw, signature, keys_dir / f"{content['department']}.pem")
    return _checked(folder, content, contracts)


def read_landed_manifest(
    folder: Path, content_sha256: str, contracts: dict[str, DatasetContract]
) -> Manifest:
    """Return the manifest of a landed folder if it is the one whose digest was recorded.

    The signature held when it landed; the department may have changed its key since.
    Raises: Rejected.
    """
    manifest = _checked(folder, _parse(folder, _read(folder, MANIFEST)), contracts)
    if manifest.content_sha256 != content_sha256:
        raise Rejected(
            f"{folder.name}：留存的清单与登记的摘要不符。处理办法：从备份恢复 landed 目录。"
        )
    return manifest


def _read(folder: Path, name: str) -> bytes:
    path = folder / name
    if not path.is_file() or path.is_symlink():
        raise Rejected(f"{folder.name}：缺少 {name}。处理办法：清单和签名一起重新送达。")
    if path.stat().st_size > MAX_MANIFEST_BYTES:
        raise Rejected(f"{folder.name}：{name} 过大。处理办法：核对是否送错文件。")
    return path.read_bytes()


def _checked(
    folder: Path, content: dict[str, Any], contracts: dict[str, DatasetContract]
) -> Manifest:
    manifest = _manifest(folder, content)
    contract = contracts.get(manifest.dataset)
    if contract is None:
        near = nearest_name(manifest.dataset, contracts)
        hint = f"是不是 {near}？" if near else "请先登记数据契约。"
        raise Rejected(f"{folder.name}：没有数据集“{manifest.dataset}”。处理办法：{hint}")
    if contract.department != manifest.department:
        raise Rejected(
            f"{folder.name}：数据集《{contract.title}》由{reference.department_name(contract.department)}"
            f"提供，签名的是 {manifest.department}。处理办法：由主管部门送达。"
        )
    return manifest


def check_listing(folder: Path, manifest: Manifest) -> None:
    """Check that the folder holds the listed files and no other. Raises Rejected."""
    listed = {file.name for file in manifest.files}
    present = {p.name for p in folder.iterdir()} - {MANIFEST, SIGNATURE}
    if present - listed:
        raise Rejected(
            f"{manifest.delivery_id}：清单之外的文件 {'、'.join(sorted(present - listed))}。"
            "处理办法：列入清单并重新签名，或移走。"
        )
    for name in sorted(listed):
        if not (folder / name).is_file() or (folder / name).is_symlink():
            raise Rejected(
                f"{manifest.delivery_id}：清单中的文件 {name} 不在。处理办法：补齐后重新送达。"
            )


def check_files(folder: Path, manifest: Manifest) -> None:
    """Check size and both digests of every file. Raises Rejected naming the first that differs."""
    for file in manifest.files:
        path = folder / file.name
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
    except (ValueError, RecursionError):
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
    try:
        key = serialization.load_pem_public_key(key_path.read_bytes())
    except (ValueError, UnsupportedAlgorithm):
        raise Rejected(
            f"{folder.name}：{key_path.name} 不是公钥文件。处理办法：管理员更换公钥。"
        ) from None
    if not isinstance(key, Ed25519PublicKey):
        raise Rejected(f"{folder.name}：部门公钥不是 Ed25519。处理办法：管理员更换公钥。")
    try:
        key.verify(base64.b64decode(signature.strip(), validate=True), raw)
    except (InvalidSignature, ValueError):
        raise Rejected(
            f"{folder.name}：清单的签名不对，可能被改动或不是该部门签的。处理办法：请部门重新签名送达。"
        ) from None


def _manifest(folder: Path, content: dict[str, Any]) -> Manifest:
    try:
        manifest = Manifest(
            delivery_id=content["delivery_id"],
            dataset=content["dataset"],
            department=content["department"],
            period=_matching(content["period"], _PERIOD, "period 应为 2026 或 2026-10"),
            issued_at=_moment(content["issued_at"]),
            covers_until=_day(content["covers_until"]),
            divisions=_divisions(content["divisions"]),
            corrects=_corrects(content["corrects"]),
            files=_files(content["files"]),
        )
    except ValueError as error:
        raise Rejected(
            f"{folder.name}：清单内容不合规定：{error}。处理办法：按说明改正后重新签名送达。"
        ) from None
    return manifest


def _matching(value: Any, pattern: re.Pattern[str], message: str) -> str:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise ValueError(message)
    return value


def _moment(value: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        moment = None
    if moment is None or moment.tzinfo is None or not _is_our_century(moment):
        raise ValueError("issued_at 应为带时区的时间，例如 2026-10-31T08:00:00+08:00")
    return moment


def _day(value: Any) -> date:
    try:
        day = date.fromisoformat(value)
    except (TypeError, ValueError):
        day = None
    if day is None or not _is_our_century(day):
        raise ValueError("covers_until 应为日期，例如 2026-10-31")
    return day


def _is_our_century(day: date) -> bool:
    return 2000 <= day.year < 2100


def _divisions(value: Any) -> tuple[str, ...]:
    counties = {county.code for county in reference.list_counties()} | {WENZHOU}
    if not isinstance(value, list) or not value:
        raise ValueError("divisions 应为县区代码的列表，全市写 330300")
    wrong = [repr(code) for code in value if not isinstance(code, str) or code not in counties]
    if wrong:
        raise ValueError(f"县区 {'、'.join(wrong)} 不存在，全市写 330300")
    return tuple(value)


def _corrects(value: Any) -> str | None:
    return value if value is None else _matching(value, _NAME, "corrects 应为批次号或 null")


def _files(value: Any) -> tuple[DeliveredFile, ...]:
    if not isinstance(value, list) or not value:
        raise ValueError("files 应为文件的列表")
    files = tuple(_file(entry) for entry in value)
    names = [file.name for file in files]
    if len(set(names)) != len(names):
        raise ValueError("同一个文件列了两次")
    return files


def _file(entry: Any) -> DeliveredFile:
    if not isinstance(entry, dict) or set(entry) != _FILE_KEYS:
        raise ValueError(f"文件项应有 {'、'.join(sorted(_FILE_KEYS))}")
    name = _matching(entry["name"], _NAME, f"文件名 {str(entry['name'])[:80]!r} 不合规定")
    if name in (MANIFEST, SIGNATURE):
        raise ValueError(f"文件名 {name} 不合规定")
    encoding = entry["encoding"]
    if encoding is not None and encoding not in ENCODINGS:
        raise ValueError(f"编码只能是 utf-8、gb18030 或 null，不能是 {str(encoding)[:40]!r}")
    return DeliveredFile(
        name=name,
        bytes=_count(entry["bytes"], MAX_FILE_BYTES, f"文件 {name} 的 bytes"),
        sha256=_matching(entry["sha256"], _DIGEST, f"文件 {name} 的 sha256 不是 64 位十六进制"),
        sm3=_matching(entry["sm3"], _DIGEST, f"文件 {name} 的 sm3 不是 64 位十六进制"),
        rows=_count(entry["rows"], MAX_FILE_BYTES, f"文件 {name} 的 rows"),
        encoding=encoding,
    )


def _count(value: Any, largest: int, what: str) -> int:
    if type(value) is not int or not 0 <= value <= largest:
        raise ValueError(f"{what} 应为 0 至 {largest} 的整数")
    return value
