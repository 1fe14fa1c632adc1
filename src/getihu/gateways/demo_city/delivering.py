"""Writing a delivery: CSV bytes, digests, manifest, signature."""

import base64
import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypedDict

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from getihu.gateways.demo_city.columns import take
from getihu.gateways.demo_city.dirt import SpoiledRow, plan_dirt, spoil_row
from getihu.gateways.demo_city.feeds import STATUS_LABELS, Feed
from getihu.gateways.demo_city.streams import stream

_CHUNK = 50_000


@dataclass
class Written:
    """One delivery on disk, and what an honest door must count in it.

    ``rows`` are lines without headers = accepted + quarantined + duplicate. ``status`` is what
    the door must say of the delivery: published, held, rejected or duplicate. ``planted`` counts
    rows per kind of dirt.
    """

    folder: str
    delivery_id: str
    dataset: str
    department: str
    rows: int = 0
    accepted: int = 0
    quarantined: int = 0
    duplicate: int = 0
    bytes: int = 0
    status: str = "published"
    corrects: str | None = None
    planted: dict[str, int] = field(default_factory=dict)


class FileEntry(TypedDict):
    """One file as the manifest lists it. ``rows`` are lines without the header."""

    name: str
    bytes: int
    sha256: str
    sm3: str
    rows: int
    encoding: str | None


class _File:
    """One CSV file being written, digested as it goes."""

    def __init__(self, path: Path) -> None:
        self._handle = path.open("wb")
        self._sha256 = hashlib.sha256()
        self._sm3 = hashes.Hash(hashes.SM3())
        self.bytes = 0

    def write(self, piece: bytes) -> None:
        self._handle.write(piece)
        self._sha256.update(piece)
        self._sm3.update(piece)
        self.bytes += len(piece)

    def close(self) -> tuple[str, str]:
        self._handle.close()
        return self._sha256.hexdigest(), self._sm3.finalize().hex()


def private_key(seed: int, department: str) -> Ed25519PrivateKey:
    """Return a department's signing key: derived from the seed, never written anywhere."""
    material = hashlib.sha256(f"getihu demo city {seed} {department}".encode()).digest()
    return Ed25519PrivateKey.from_private_bytes(material)


def write_public_key(out: Path, seed: int, department: str) -> None:
    """Write ``keys/<department>.pem``."""
    pem = (
        private_key(seed, department)
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    folder = out / "keys"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{department}.pem").write_bytes(pem)


def write_delivery(feed: Feed, out: Path, seed: int, protected: np.ndarray) -> Written:
    """Write one delivery's folder. Grain: one line per row, plus the lines dirt adds."""
    folder = out / feed.delivery_id
    folder.mkdir(parents=True)
    written = Written(
        folder=feed.delivery_id,
        delivery_id=feed.delivery_id,
        dataset=feed.dataset,
        department=feed.contract.department,
        corrects=feed.corrects,
    )
    plan = plan_dirt(feed, seed, protected)
    spoiled = dict(_spoil_all(feed, plan, seed))
    entries = []
    parts = max(1, -(-len(feed) // feed.rows_per_file))
    for part in range(parts):
        name = f"{feed.dataset}.csv" if parts == 1 else f"{feed.dataset}-{part + 1}.csv"
        start = part * feed.rows_per_file
        stop = min(len(feed), start + feed.rows_per_file)
        entries.append(_write_file(feed, folder / name, start, stop, spoiled))
    _count(written, feed, plan, spoiled)
    written.bytes = sum(e["bytes"] for e in entries)
    _sign(feed, folder, entries, seed)
    return written


def _write_file(
    feed: Feed, path: Path, start: int, stop: int, spoiled: dict[int, SpoiledRow]
) -> FileEntry:
    file = _File(path)
    file.write((",".join(feed.contract.headers()) + "\n").encode(feed.encoding))
    ordered = np.array(sorted(spoiled), dtype=np.int64)
    lines = 0
    for low in range(start, stop, _CHUNK):
        rows = np.arange(low, min(low + _CHUNK, stop))
        within = ordered[(ordered >= low) & (ordered <= rows[-1])]
        for piece in _pieces(feed, rows, within, spoiled):
            file.write(piece)
        lines += len(rows) + sum(len(spoiled[r].lines) - 1 for r in within.tolist())
    sha256, sm3 = file.close()
    return {
        "name": path.name,
        "bytes": file.bytes,
        "sha256": sha256,
        "sm3": sm3,
        "rows": lines,
        "encoding": feed.declared,
    }


def _pieces(
    feed: Feed, rows: np.ndarray, within: np.ndarray, spoiled: dict[int, SpoiledRow]
) -> Iterator[bytes]:
    """Yield the chunk's bytes: clean stretches transcoded whole, spoiled rows as they are."""
    array = _lines(feed, rows)
    _, offset_buffer, data = array.buffers()
    offsets = np.frombuffer(offset_buffer, dtype=np.int32)[: len(rows) + 1]
    view = memoryview(data)
    begin = 0
    for row in within.tolist():
        local = row - int(rows[0])
        yield _encoded(view[begin : offsets[local]], feed.encoding)
        yield b"".join(spoiled[row].lines)
        begin = int(offsets[local + 1])
    yield _encoded(view[begin : offsets[-1]], feed.encoding)


def _encoded(piece: memoryview, encoding: str) -> bytes:
    return bytes(piece) if encoding == "utf-8" else str(piece, "utf-8").encode(encoding)


def _cells(feed: Feed, rows: np.ndarray) -> list[pa.StringArray]:
    """Render the contract's columns in order, then the record status."""
    missing = {c["name"] for c in feed.contract.columns} ^ set(feed.columns)
    if missing:
        raise ValueError(f"{feed.delivery_id} 与契约 {feed.dataset}.yaml 的列不一致：{missing}")
    cells = [feed.columns[c["name"]](rows) for c in feed.contract.columns]
    withdrawn = np.zeros(len(rows), np.int8) if feed.withdrawn is None else feed.withdrawn[rows]
    return [*cells, take(STATUS_LABELS, withdrawn)]


def _lines(feed: Feed, rows: np.ndarray) -> pa.StringArray:
    *cells, status = _cells(feed, rows)
    ended = pc.binary_join_element_wise(status, "\n", "")
    return pc.binary_join_element_wise(*cells, ended, ",")


def _spoil_all(feed: Feed, plan: dict[int, str], seed: int) -> Iterator[tuple[int, SpoiledRow]]:
    rng = stream(seed, f"spoil {feed.delivery_id}")
    rows = np.array(sorted(plan), dtype=np.int64)
    if not len(rows):
        return
    columns = [c.to_pylist() for c in _cells(feed, rows)]
    for at, row in enumerate(rows.tolist()):
        cells = [column[at] for column in columns]
        yield row, spoil_row(plan[row], cells, feed.contract, feed.encoding, rng)


def _count(
    written: Written, feed: Feed, plan: dict[int, str], spoiled: dict[int, SpoiledRow]
) -> None:
    clean = len(feed) - len(spoiled)
    written.accepted = clean + sum(s.accepted for s in spoiled.values()) - feed.known_duplicates
    written.quarantined = sum(s.quarantined for s in spoiled.values())
    written.duplicate = sum(s.duplicate for s in spoiled.values()) + feed.known_duplicates
    written.rows = written.accepted + written.quarantined + written.duplicate
    counts = Counter(plan.values()) + Counter(feed.notes)
    written.planted = dict(sorted(counts.items()))


def _sign(feed: Feed, folder: Path, entries: list[FileEntry], seed: int) -> None:
    manifest: dict[str, object] = {
        "format": "getihu-delivery/1",
        "delivery_id": feed.delivery_id,
        "dataset": feed.dataset,
        "department": feed.contract.department,
        "period": feed.period,
        "issued_at": feed.issued_at,
        "covers_until": feed.covers_until,
        "divisions": list(feed.divisions),
        "corrects": feed.corrects,
        "files": entries,
    }
    write_manifest(folder, manifest, private_key(seed, feed.contract.department))


def describe_file(path: Path, rows: int, encoding: str | None) -> FileEntry:
    """Return a manifest's entry for a file already on disk."""
    data = path.read_bytes()
    sm3 = hashes.Hash(hashes.SM3())
    sm3.update(data)
    return {
        "name": path.name,
        "bytes": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
        "sm3": sm3.finalize().hex(),
        "rows": rows,
        "encoding": encoding,
    }


def write_manifest(folder: Path, manifest: dict[str, object], key: Ed25519PrivateKey) -> None:
    """Write the manifest and the signature over its exact bytes."""
    text = json.dumps(manifest, ensure_ascii=False, indent=1).encode()
    (folder / "manifest.json").write_bytes(text)
    (folder / "manifest.sig").write_bytes(base64.b64encode(key.sign(text)) + b"\n")
