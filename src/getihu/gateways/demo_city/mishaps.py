"""What goes wrong with whole deliveries: sent twice, sent with other content, damaged on the way."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

from getihu.gateways.demo_city.delivering import (
    Written,
    describe_file,
    private_key,
    write_manifest,
)

RESENT = "penalties-2026-09"
OTHER_CONTENT = "permits-2026-09"
DAMAGED = "honours-2026-10"


def send_again(out: Path, written: list[Written], seed: int) -> list[Written]:
    """Add one folder of each mishap and return what an honest door must say of it."""
    known = {delivery.delivery_id: delivery for delivery in written}
    return [
        _resend(out, known[RESENT]),
        _resend_other_content(out, known[OTHER_CONTENT], seed),
        _damage(out, known[DAMAGED]),
    ]


def _resend(out: Path, delivery: Written) -> Written:
    """The same bytes a second time: counted, without effect."""
    folder = f"{delivery.folder}-again"
    shutil.copytree(out / delivery.folder, out / folder)
    return replace(
        delivery, folder=folder, status="duplicate", accepted=0, quarantined=0,
        duplicate=delivery.rows, planted={"resent_delivery": 1},
    )  # fmt: skip


def _resend_other_content(out: Path, delivery: Written, seed: int) -> Written:
    """The same number, the first row gone, newly signed: a person must ask what it is meant as."""
    folder = out / f"{delivery.folder}-other"
    shutil.copytree(out / delivery.folder, folder)
    manifest = json.loads((folder / "manifest.json").read_bytes())
    entry = manifest["files"][0]
    path = folder / entry["name"]
    header, _, rest = path.read_bytes().partition(b"\n")
    path.write_bytes(header + b"\n" + rest.partition(b"\n")[2])
    manifest["files"][0] = describe_file(path, entry["rows"] - 1, entry["encoding"])
    manifest["issued_at"] = "2026-10-21T11:00:00+08:00"
    write_manifest(folder, manifest, private_key(seed, delivery.department))
    return replace(
        delivery, folder=folder.name, status="held", rows=entry["rows"] - 1, accepted=0,
        quarantined=0, duplicate=0, planted={"same_id_other_content": 1},
    )  # fmt: skip


def _damage(out: Path, delivery: Written) -> Written:
    """One byte differs from what was signed: nothing of it may be used."""
    folder = out / f"{delivery.folder}-damaged"
    shutil.copytree(out / delivery.folder, folder)
    path = next(folder.glob("*.csv"))
    content = bytearray(path.read_bytes())
    content[-2] ^= 1
    path.write_bytes(bytes(content))
    return replace(
        delivery, folder=folder.name, status="rejected", accepted=0, quarantined=0, duplicate=0,
        planted={"damaged_delivery": 1},
    )  # fmt: skip
