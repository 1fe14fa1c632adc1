"""What someone with full rights over database, files and signing key can do to the log."""

import json
import random
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.db.models import Max

from getihu.audit import selectors, services
from getihu.audit.canonical import canonical_json, commitment
from getihu.audit.models import Checkpoint, Event
from getihu.audit.services import sequencing
from getihu.audit.signers import open_signers
from getihu.audit.tlog import merkle, note
from getihu.audit.tlog.tiles import write_durably
from tests.audit.conftest import AT, full_database_rights, record

SIZES = (0, 10, 25, 40)


def size_now() -> int:
    return (Event.objects.aggregate(n=Max("log_index"))["n"] or -1) + 1


def pick(dice: random.Random) -> Event:
    return Event.objects.get(log_index=dice.randrange(size_now()))


def rewrite(row: Event, **told: object) -> None:
    """Change what an event says, and its commitment to match."""
    text = canonical_json(json.loads(bytes(row.record)) | told)
    digest = commitment(bytes(row.salt), text).hex()
    Event.objects.filter(pk=row.pk).update(record=text, commitment=digest)


def edit_a_column(dice: random.Random) -> None:
    Event.objects.filter(pk=pick(dice).pk).update(actor="officer:99")


def edit_a_record(dice: random.Random) -> None:
    row = pick(dice)
    text = bytes(row.record).replace(b"officer:17", b"officer:99")
    Event.objects.filter(pk=row.pk).update(record=text, actor="officer:99")


def edit_a_record_and_its_commitment(dice: random.Random) -> None:
    row = pick(dice)
    rewrite(row, actor="officer:99")
    Event.objects.filter(pk=row.pk).update(actor="officer:99")


def set_the_clock_back(dice: random.Random) -> None:
    row = pick(dice)
    at = row.at - timedelta(days=dice.randrange(1, 400))
    rewrite(row, at=at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"))
    Event.objects.filter(pk=row.pk).update(at=at)


def new_salt(dice: random.Random) -> None:
    row = pick(dice)
    salt = dice.randbytes(32)
    digest = commitment(salt, bytes(row.record)).hex()
    Event.objects.filter(pk=row.pk).update(salt=salt, commitment=digest)


def renumber(ids: list[int]) -> None:
    Event.objects.update(log_index=None)
    for index, id_ in enumerate(ids):
        Event.objects.filter(pk=id_).update(log_index=index)


def in_order() -> list[int]:
    rows = Event.objects.filter(log_index__isnull=False).order_by("log_index")
    return list(rows.values_list("pk", flat=True))


def delete_one(dice: random.Random) -> None:
    ids = in_order()
    gone = ids.pop(dice.randrange(len(ids)))
    Event.objects.filter(pk=gone).delete()
    renumber(ids)


def cut_the_tail(dice: random.Random) -> None:
    keep = dice.randrange(1, size_now())
    Event.objects.filter(log_index__gte=keep).delete()
    Checkpoint.objects.filter(size__gt=keep).delete()


def insert_one(dice: random.Random) -> None:
    ids = in_order()
    (receipt,) = record(1, first=9000)
    ids.insert(dice.randrange(len(ids)), receipt.event_id)
    renumber(ids)


def swap_two(dice: random.Random) -> None:
    ids = in_order()
    first, second = dice.sample(range(len(ids)), 2)
    ids[first], ids[second] = ids[second], ids[first]
    renumber(ids)


def cover(log: Path) -> None:
    """Make files and checkpoints again from the changed rows, signed with the stolen key."""
    size = size_now()
    shutil.rmtree(log / "tile", ignore_errors=True)
    sequencing._write(0, size)
    tree = sequencing._reread(sequencing.Checkpoint(0, merkle.EMPTY_ROOT, ""), size)
    root_of = selectors.TileFolder(log).subtree(size)
    Checkpoint.objects.all().delete()
    for at in sorted({s for s in SIZES if s < size} | {size}):
        root = merkle.root(at, root_of)
        text = note.checkpoint_text(settings.AUDIT_ORIGIN, at, root)
        signed = note.sign(text, open_signers(may_create=False))
        Checkpoint.objects.create(size=at, root=root.hex(), note=signed, signed_at=AT)
    assert root == tree
    write_durably(log / "checkpoint", signed.encode())


Change = Callable[[random.Random], None]
CHANGES: list[Change] = [
    edit_a_record_and_its_commitment, set_the_clock_back, new_salt, delete_one, cut_the_tail,
    insert_one, swap_two,
]  # fmt: skip
SEEN_INSIDE: list[Change] = [edit_a_column, edit_a_record, *CHANGES]


def rows_only(dice: random.Random, log: Path, _: Path) -> str:
    change = dice.choice(SEEN_INSIDE)
    with full_database_rights():
        change(dice)
    return f"rows only: {change.__name__}"


def rows_and_cover(dice: random.Random, log: Path, _: Path) -> str:
    change = dice.choice(CHANGES)
    with full_database_rights():
        change(dice)
        cover(log)
    return f"covered: {change.__name__}"


def old_backup_continued(dice: random.Random, log: Path, backup: Path) -> str:
    """Database and files of 25 entries come back, and other events follow, honestly signed."""
    with full_database_rights():
        Event.objects.filter(log_index__gte=25).delete()
        Checkpoint.objects.filter(size__gt=25).delete()
    shutil.rmtree(log)
    shutil.copytree(backup, log)
    more = dice.choice([0, 5, 15, 30])
    record(more, first=5000)
    services.sequence(AT)
    return f"old backup, then {more}"


def waiting_event_deleted(dice: random.Random, log: Path, _: Path) -> str:
    with full_database_rights():
        Event.objects.filter(log_index__isnull=True).delete()
    return "waiting event deleted"


def checkpoint_row_changed(dice: random.Random, log: Path, _: Path) -> str:
    size = dice.choice(SIZES)
    with full_database_rights():
        Checkpoint.objects.filter(size=size).update(root=dice.randbytes(32).hex())
    return "checkpoint row changed"


def flip(path: Path, dice: random.Random) -> None:
    raw = bytearray(path.read_bytes())
    raw[dice.randrange(len(raw))] ^= 1 << dice.randrange(8)
    path.write_bytes(raw)


def tile_files(log: Path) -> list[Path]:
    return sorted(p for p in (log / "tile").rglob("*") if p.is_file())


def file_bit_flipped(dice: random.Random, log: Path, _: Path) -> str:
    path = dice.choice(tile_files(log))
    flip(path, dice)
    return f"bit flipped: {path.name}"


def file_removed(dice: random.Random, log: Path, _: Path) -> str:
    newest = [path for path in tile_files(log) if path.name == "40"]
    path = dice.choice([*newest, log / "checkpoint"])
    path.unlink()
    return f"file removed: {path.name}"


def signed_by_another_key(dice: random.Random, log: Path, _: Path) -> str:
    checkpoint = (log / "checkpoint").read_text("utf-8")
    raw = checkpoint.replace("\n40\n", "\n39\n")
    (log / "checkpoint").write_text(raw, "utf-8")
    return "checkpoint text changed"


ATTACKS = [
    rows_only, rows_and_cover, rows_and_cover, rows_and_cover, old_backup_continued,
    waiting_event_deleted, checkpoint_row_changed, file_bit_flipped, file_removed,
    signed_by_another_key,
]  # fmt: skip
