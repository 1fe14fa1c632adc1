"""Committed events into the tree, in an order that never changes.

The steps, each finished before the next begins:

1. *assign*: waiting events get the next indexes, in one short transaction. From here on the tree
   of every size up to there is fixed by the database.
2. *write*: bundles and tiles, which follow from 1 alone; writing them twice gives the same bytes.
3. *re-read*: what lies on the disk is hashed again from the entries up, compared with the events,
   and shown to begin with the tree signed last.
4. *sign*, and keep the checkpoint in the database; a size can be kept once.
5. *publish*: ask the witnesses, replace the file ``checkpoint``.

A crash between any two leaves what the next run completes. Waiting events are found by their empty
index, never by "number above the last one": a transaction that commits late is not skipped.
"""

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Max

from getihu.audit import guards, selectors
from getihu.audit.contracts import Checkpoint, SequenceReport
from getihu.audit.models import Checkpoint as CheckpointRow
from getihu.audit.models import Event
from getihu.audit.ports import Signer
from getihu.audit.services.witnessing import cosign
from getihu.audit.signers import open_signers, verifiers_of
from getihu.audit.tlog import merkle, note
from getihu.audit.tlog.tiles import (
    ENTRIES,
    WIDTH,
    Tile,
    TileFolder,
    check_tile,
    encode_bundle,
    new_tiles,
    write_durably,
)
from getihu.kernel.errors import GetihuError

BATCH: Final = 10_000
LOCK_KEY: Final = 0x61756469746C6F67  # "auditlog"
LONGEST_WAIT: Final = timedelta(hours=4)
Reached = Callable[[str], None]


class SequencerRunning(GetihuError):
    """Another sequencer is at work."""

    exit_code = 3


class LogDamaged(GetihuError):
    """Files of the log are not what was signed. Nothing more is signed on top of them."""

    exit_code = 4


class LogRolledBack(GetihuError):
    """The database knows less than was published: an old backup, or rows taken away."""

    exit_code = 4


class LogStalled(GetihuError):
    """Events have waited for the sequencer for too long."""

    exit_code = 3


def sequence(at: datetime, *, batch: int = BATCH, reached: Reached | None = None) -> SequenceReport:
    """Take every waiting event into the log, batch by batch, each with its checkpoint.

    ``at`` is the moment kept beside the checkpoints. ``reached`` is told the name of every step
    once it is done. The first run makes the keys and signs the empty tree.

    Raises: SequencerRunning; LogDamaged, LogRolledBack, KeyMissing: then nothing was signed.
    WitnessMissing, WitnessRefused: then nothing was published.
    Cost: about 60 µs an event; memory in proportion to ``batch``.
    """
    say = reached or (lambda _: None)
    taken = 0
    with _one_at_a_time():
        signers = open_signers(may_create=_is_new())
        last = _last_checkpoint(signers, at, say)
        last = _extend(last, _assigned(), signers, at, say)
        while count := _assign(last.size, batch):
            say("assigned")
            taken += count
            last = _extend(last, last.size + count, signers, at, say)
    return SequenceReport(taken, last.size, last.root)


def rebuild_files(at: datetime) -> int:
    """Write the files of the log again from the database, for example after losing a disk.

    Refused unless they give the root that was signed last. Returns the number of files.
    Raises: LogDamaged, LogRolledBack, SequencerRunning.
    """
    with _one_at_a_time():
        row = CheckpointRow.objects.order_by("-size").first()
        if row is None:
            return 0
        signers = open_signers(may_create=False)
        signed = note.read_checkpoint(row.note, settings.AUDIT_ORIGIN, verifiers_of(signers))
        _check_published(signed, signers)
        entries = _entries(0, signed.size)
        if len(entries) != signed.size or _root_of(entries) != signed.root:
            raise LogDamaged(
                "数据库里的事件不是当初签名的那些，不能用来重建。处理办法：用更早的备份核对。"
            )
        count = _write(0, signed.size)
        _reread(Checkpoint(0, merkle.EMPTY_ROOT, ""), signed.size)
        _publish(signed)
        return count


@contextmanager
def demo_starts_over() -> Iterator[None]:
    """Let a demo city be emptied, its log with it: within, the guards of the log are off.

    Only for an installation in which nothing is real. Whoever kept a checkpoint of the log sees
    that it began anew. Needs the rights of the tables' owner.
    """
    with _one_at_a_time():
        guards.lift(connection)
        try:
            yield
        finally:
            guards.restore(connection)
        for name in ("tile", "checkpoint", "keys"):
            path = selectors.log_folder() / name
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def check_keeps_up(at: datetime) -> None:
    """Refuse when events have waited longer than four hours: no log, no action.

    For doors that change something. Raises: LogStalled. Cost: one indexed read.
    """
    if selectors.is_waiting_since(at - LONGEST_WAIT):
        raise LogStalled(
            "审计日志已停滞超过 4 小时，暂停一切改动。处理办法：请运维检查日志序列器。"
        )


def _is_new() -> bool:
    has_file = (selectors.log_folder() / "checkpoint").exists()
    return not has_file and not CheckpointRow.objects.exists()


def _last_checkpoint(signers: Sequence[Signer], at: datetime, say: Reached) -> Checkpoint:
    """The newest signed tree, found whole; published again if a crash came before."""
    row = CheckpointRow.objects.order_by("-size").first()
    if row is None:
        _check_published(Checkpoint(-1, b"", ""), signers)
        return _sign(Checkpoint(0, merkle.EMPTY_ROOT, ""), signers, at, say)
    last = note.read_checkpoint(row.note, settings.AUDIT_ORIGIN, verifiers_of(signers))
    if _assigned() < last.size:
        raise LogRolledBack(
            f"签过 {last.size} 条，数据库里只有 {_assigned()} 条。处理办法：不要继续使用这个数据库；"
            "找回缺少的事件，或从更新的备份恢复。"
        )
    is_published = _check_published(last, signers)
    _check_root(last)
    if not is_published:
        _publish(last)
    return last


def _check_published(last: Checkpoint, signers: Sequence[Signer]) -> bool:
    """Whether the newest signed tree is the published one; refuse when a newer one is."""
    path = selectors.log_folder() / "checkpoint"
    if not path.exists():
        return False
    text = path.read_text("utf-8")
    published = note.read_checkpoint(text, settings.AUDIT_ORIGIN, verifiers_of(signers))
    if published.size > last.size:
        raise LogRolledBack(
            f"已发布 {published.size} 条的检查点，数据库只知道 {max(last.size, 0)} 条。"
            "处理办法：数据库是旧备份，不要继续写；从更新的备份恢复。"
        )
    if published.size == last.size and published.root != last.root:
        raise LogDamaged("同样条数有两个不同的检查点。处理办法：停用，交审计机构核查。")
    return published.size == last.size


def _assigned() -> int:
    newest = Event.objects.aggregate(newest=Max("log_index"))["newest"]
    return 0 if newest is None else newest + 1


def _assign(size: int, batch: int) -> int:
    """Give the oldest waiting events the indexes from ``size`` on; return how many."""
    with transaction.atomic(durable=True):
        waiting = list(
            Event.objects.filter(log_index__isnull=True)
            .order_by("id")
            .values_list("id", flat=True)[:batch]
        )
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute(
                    "UPDATE audit_event SET log_index = %s + placed.place - 1 "
                    "FROM unnest(%s::bigint[]) WITH ORDINALITY AS placed (id, place) "
                    "WHERE audit_event.id = placed.id",
                    [size, waiting],
                )
            else:
                cursor.executemany(
                    "UPDATE audit_event SET log_index = %s WHERE id = %s",
                    [(size + place, id_) for place, id_ in enumerate(waiting)],
                )
    return len(waiting)


def _extend(
    last: Checkpoint, size: int, signers: Sequence[Signer], at: datetime, say: Reached
) -> Checkpoint:
    """Write, re-read, sign and publish the tree of ``size``, which begins with ``last``."""
    if size == last.size:
        return last
    _write(last.size, size)
    say("written")
    root = _reread(last, size)
    say("re-read")
    return _sign(Checkpoint(size, root, ""), signers, at, say)


def _write(old: int, size: int) -> int:
    """Write every tile that a tree of ``size`` has and one of ``old`` did not; return how many."""
    folder = TileFolder(selectors.log_folder())
    count = 0
    first = old // WIDTH * WIDTH
    entries = _entries(first, size)
    if len(entries) != size - first:
        raise LogDamaged(f"第 {first} 到 {size} 条之间缺少事件。处理办法：停用，交审计机构核查。")
    for tile in new_tiles(old, size):
        if isinstance(tile.level, str):
            at = tile.number * WIDTH - first
            text = encode_bundle(entries[at : at + tile.width])
        elif tile.level == 0:
            at = tile.number * WIDTH - first
            text = b"".join(merkle.leaf_hash(e) for e in entries[at : at + tile.width])
        else:
            known = _signed_part(folder, tile, old)
            text = b"".join(
                [
                    *known,
                    *(
                        merkle.perfect_root(
                            folder.hashes(Tile(tile.level - 1, tile.number * WIDTH + place))
                        )
                        for place in range(len(known), tile.width)
                    ),
                ]
            )
        folder.write(tile, text)
        count += 1
    return count


def _signed_part(folder: TileFolder, tile: Tile, old: int) -> list[bytes]:
    """The hashes at the beginning of an upper tile that the tree of ``old`` already had."""
    assert isinstance(tile.level, int)
    width = (old >> (8 * tile.level)) - tile.number * WIDTH
    return folder.hashes(Tile(tile.level, tile.number, width)) if width > 0 else []


def _reread(last: Checkpoint, size: int) -> bytes:
    """Hash again what lies on the disk and return its root. Raises LogDamaged on any difference."""
    folder = TileFolder(selectors.log_folder())
    first = last.size // WIDTH * WIDTH
    events = _entries(first, size)
    try:
        for tile in new_tiles(last.size, size):
            check_tile(folder, tile, signed=last.size)
            if tile.level == ENTRIES:
                at = tile.number * WIDTH - first
                if folder.entries(tile) != events[at : at + tile.width]:
                    raise LogDamaged(f"条目文件 {tile.path} 与数据库不符")
        subtree = folder.subtree(size)
        if merkle.root(last.size, subtree) != last.root:
            raise LogDamaged(f"新的树不是从 {last.size} 条时的检查点长出来的")
        return merkle.root(size, subtree)
    except LogDamaged:
        raise
    except GetihuError as error:
        raise LogDamaged(f"{error}。处理办法：检查磁盘后运行 audit rebuild。") from error


def _check_root(last: Checkpoint) -> None:
    folder = TileFolder(selectors.log_folder())
    try:
        root = merkle.root(last.size, folder.subtree(last.size))
        for tile in _right_edge(last.size):
            check_tile(folder, tile)
    except GetihuError as error:
        raise LogDamaged(f"{error}。处理办法：检查磁盘后运行 audit rebuild。") from error
    if root != last.root:
        raise LogDamaged(
            f"日志文件与 {last.size} 条时的检查点不符。处理办法：检查磁盘后运行 audit rebuild。"
        )


def _right_edge(size: int) -> Iterator[Tile]:
    """The tiles the next entry will be added to or lies beside."""
    return new_tiles(size - 1, size) if size else iter(())


def _sign(tree: Checkpoint, signers: Sequence[Signer], at: datetime, say: Reached) -> Checkpoint:
    text = note.checkpoint_text(settings.AUDIT_ORIGIN, tree.size, tree.root)
    signed = Checkpoint(tree.size, tree.root, note.sign(text, signers))
    note.read_checkpoint(signed.note, settings.AUDIT_ORIGIN, verifiers_of(signers))
    say("signed")
    with transaction.atomic(durable=True):
        CheckpointRow.objects.create(
            size=signed.size, root=signed.root.hex(), note=signed.note, signed_at=at
        )
    say("kept")
    _publish(signed)
    say("published")
    _forget_partials(signed.size)
    return signed


def _publish(signed: Checkpoint) -> None:
    """Replace the published checkpoint, with the witnesses' signatures on the new one. Where they
    are wanted and missing nothing is published: the next run asks again."""
    folder = selectors.log_folder()
    text = cosign(signed, selectors.find_checkpoint()) if settings.AUDIT_WITNESSES else signed.note
    vkeys = "".join(f"{verifier.vkey}\n" for verifier in selectors.log_verifiers())
    write_durably(folder / "keys", vkeys.encode())
    write_durably(folder / "checkpoint", text.encode())


def _forget_partials(size: int) -> None:
    """Partial tiles are superfluous once the full tile and a checkpoint over it are out."""
    folder = TileFolder(selectors.log_folder())
    first = max(0, size - BATCH - WIDTH)
    for tile in new_tiles(first, size):
        folder.forget_partials_of(tile)


def _entries(first: int, size: int) -> list[bytes]:
    """The entries of the log from ``first`` up to ``size``, from the database."""
    rows = (
        Event.objects.filter(log_index__gte=first, log_index__lt=size)
        .order_by("log_index")
        .values_list("commitment", flat=True)
    )
    return [bytes.fromhex(commitment) for commitment in rows.iterator(chunk_size=5000)]


def _root_of(entries: Sequence[bytes]) -> bytes:
    rows = [[merkle.leaf_hash(entry) for entry in entries]]
    while len(rows[-1]) > 1:
        below = rows[-1]
        rows.append([merkle.node_hash(a, b) for a, b in zip(below[::2], below[1::2], strict=False)])
    return merkle.root(len(entries), lambda level, index: rows[level][index])


@contextmanager
def standing_still() -> Iterator[None]:
    """Nothing is taken into the log meanwhile, so that database and files can be copied as one.

    Events are recorded all the same and wait. Raises SequencerRunning.
    """
    with _one_at_a_time():
        yield


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """One sequencer on this machine and, on PostgreSQL, one on this database."""
    folder = selectors.log_folder()
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SequencerRunning("另一个日志序列器正在运行。处理办法：等它结束。") from None
        with _database_lock():
            yield
    finally:
        os.close(descriptor)


@contextmanager
def _database_lock() -> Iterator[None]:
    if connection.vendor != "postgresql":
        yield  # one writer at a time, and all on this machine
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK_KEY])
        if not cursor.fetchone()[0]:
            raise SequencerRunning("另一台机器上的日志序列器正在运行。处理办法：等它结束。")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK_KEY])
