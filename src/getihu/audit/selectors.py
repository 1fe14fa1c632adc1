"""What the log says: events, proofs, how far it has come, whether it holds."""

import json
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.db import connection
from django.db.models import Count, Max, Min, Q

from getihu.audit import guards, sealing
from getihu.audit.canonical import commitment, moment_text
from getihu.audit.contracts import (
    Activity,
    Checkpoint,
    InclusionProof,
    LogFinding,
    LogStatus,
    Receipt,
    RecordedEvent,
)
from getihu.audit.models import Checkpoint as CheckpointRow
from getihu.audit.models import Event, SubjectKey
from getihu.audit.ports import Verifier
from getihu.audit.signers import read_verifiers
from getihu.audit.tlog import merkle, note
from getihu.audit.tlog.tiles import (
    ENTRIES,
    Tile,
    TileDamaged,
    TileFolder,
    check_older_partials,
    check_tile,
    tiles_of,
)
from getihu.kernel.errors import GetihuError

EMPTIED: Final = "audit.emptied"
NOTHING: Final = b""
FINGERPRINT: Final = re.compile(r"[0-9a-f]{64}")
# Nothing else in the folder is public; the names are those of c2sp.org/tlog-tiles.
PUBLISHED: Final = re.compile(
    r"checkpoint|keys|tile/(?:entries|[0-9])/(?:x\d{3}/)*\d{3}(?:\.p/\d{1,3})?", re.ASCII
)


class NotInLog(GetihuError):
    """The log does not hold this event yet, or never heard of it."""

    exit_code = 3


def log_folder() -> Path:
    """Where the published files lie: ``checkpoint`` and ``tile/``. Serve it as it is."""
    return Path(settings.DATA_DIR) / "audit"


def find_checkpoint() -> Checkpoint | None:
    """Return the published checkpoint, its signature checked; None before the first.

    Raises: InvalidNote when the file is not signed by this log's keys.
    """
    try:
        text = (log_folder() / "checkpoint").read_text("utf-8")
    except FileNotFoundError:
        return None
    return note.read_checkpoint(text, settings.AUDIT_ORIGIN, log_verifiers())


def log_verifiers() -> list[Verifier]:
    """The keys that sign this log, to be published. Raises: KeyMissing."""
    return read_verifiers()


def get_receipt(event_id: int) -> Receipt:
    """Return a receipt as it stands now. Raises: NotInLog for an unknown event."""
    row = Event.objects.filter(pk=event_id).only("commitment", "log_index").first()
    if row is None:
        raise NotInLog(f"没有编号为 {event_id} 的审计事件。")
    return Receipt(row.pk, row.commitment, row.log_index)


def inclusion_proof(of: int | Receipt) -> InclusionProof:
    """Return the proof that an entry (its log index, or a receipt) is in the published tree.

    Raises: NotInLog when the published checkpoint does not reach it yet.
    Cost: a dozen small files.
    """
    checkpoint = find_checkpoint()
    index = of if isinstance(of, int) else get_receipt(of.event_id).log_index
    if checkpoint is None or index is None or not 0 <= index < checkpoint.size:
        raise NotInLog("日志还没有收到这一条。处理办法：约一分钟后、下一个检查点发布后再取。")
    folder = TileFolder(log_folder())
    path = merkle.inclusion_path(index, checkpoint.size, folder.subtree(checkpoint.size))
    number, place = divmod(index, 256)
    width = min(256, checkpoint.size - number * 256)
    entry = folder.entries(Tile(ENTRIES, number, width))[place]
    if isinstance(of, Receipt) and entry.hex() != of.commitment:
        raise TileDamaged("日志里的这一条与回执上的承诺值不符")
    return InclusionProof(index, entry, tuple(path), checkpoint)


def consistency_proof(old: int) -> tuple[bytes, ...]:
    """Return the proof that the published tree begins with the tree of ``old`` entries."""
    checkpoint = find_checkpoint()
    if checkpoint is None or not 0 < old <= checkpoint.size:
        raise NotInLog(f"日志没有 {old} 条时的检查点。")
    subtree = TileFolder(log_folder()).subtree(checkpoint.size)
    return tuple(merkle.consistency_path(old, checkpoint.size, subtree))


def receipt_file(receipt: Receipt) -> str:
    """Return the proof file (``.tlog-proof``) of a receipt: anyone checks it without a network.

    Its extra line carries the commitment, nothing else. Raises: NotInLog.
    """
    proof = inclusion_proof(receipt)
    return note.proof_text(proof.log_index, proof.path, proof.checkpoint.note, proof.commitment)


def find_receipts(fingerprint: str) -> list[Receipt]:
    """Return the receipts a fingerprint (64 hex digits) belongs to: the commitment of an event,
    or a decision slip's SHA-256; empty when the log never heard of it."""
    if not FINGERPRINT.fullmatch(fingerprint):
        return []
    rows = Event.objects.filter(Q(commitment=fingerprint) | Q(object_ref=f"slip:{fingerprint}"))
    return [Receipt(row.pk, row.commitment, row.log_index) for row in rows.order_by("id")[:20]]


def list_openings(object_ref: str) -> list[dict[str, object]]:
    """For the person an object concerns: every event about it with what shows its commitment.

    ``commitment``, ``salt`` and ``record`` as ``opening`` gives them, and ``proof``, a tlog-proof
    file; None while the event waits for the next checkpoint.
    """
    found: list[dict[str, object]] = []
    for row in Event.objects.filter(object_ref=object_ref).exclude(record=NOTHING).order_by("id"):
        receipt = Receipt(row.pk, row.commitment, row.log_index)
        try:
            proof = receipt_file(receipt)
        except NotInLog:
            proof = None
        found.append({"commitment": row.commitment, **opening(row.pk), "proof": proof})
    return found


def check_inclusion(proof: InclusionProof) -> bool:
    """Whether the path of a proof leads from its commitment to the signed root."""
    leaf = merkle.leaf_hash(proof.commitment)
    size, root = proof.checkpoint.size, proof.checkpoint.root
    return merkle.is_included(proof.log_index, size, leaf, proof.path, root)


def read_published(name: str) -> bytes | None:
    """Return a published file (``checkpoint``, ``keys``, ``tile/…``); None when it is not there."""
    if not PUBLISHED.fullmatch(name):
        return None
    try:
        return (log_folder() / name).read_bytes()
    except (FileNotFoundError, IsADirectoryError):
        return None


def opening(event_id: int) -> dict[str, str]:
    """Return what shows which event a commitment stands for: ``salt`` (hex) and ``record``.

    For the person it concerns and for auditors only: the record names actor and object. Raises
    NotInLog for an event whose term is over.
    """
    row = Event.objects.filter(pk=event_id).exclude(record=NOTHING).first()
    if row is None:
        raise NotInLog(f"编号 {event_id} 的审计事件没有内容，或者过了保存期已经清空。")
    return {"salt": bytes(row.salt).hex(), "record": bytes(row.record).decode()}


def get_event(event_id: int) -> RecordedEvent:
    """Return one event with its personal part, where its key still exists."""
    row = Event.objects.filter(pk=event_id).exclude(record=NOTHING).first()
    if row is None:
        raise NotInLog(f"没有编号为 {event_id} 的审计事件，或者过了保存期已经清空。")
    return _recorded(row)


def list_events_of(object_ref: str) -> list[RecordedEvent]:
    """Return the events of one object, oldest first. Cost: one indexed read, plus the keys."""
    rows = Event.objects.filter(object_ref=object_ref).exclude(record=NOTHING)
    return [_recorded(row) for row in rows.order_by("id")]


def list_latest(kind_prefix: str, *, limit: int = 100) -> list[RecordedEvent]:
    """Return the newest events whose kind begins so, newest first."""
    rows = Event.objects.filter(kind__startswith=kind_prefix).exclude(record=NOTHING)
    rows = rows.order_by("-id")
    return [_recorded(row) for row in rows[:limit]]


def list_active(
    kind: str, *, after: datetime, until: datetime, least: int, actor: str = ""
) -> list[Activity]:
    """Return who did one kind of thing to ``least`` different objects or more, after one moment and
    up to another, by actor; ``actor`` asks about one alone. Cost: reads the events of that time."""
    told = Event.objects.filter(kind=kind, at__gt=after, at__lte=until)
    rows = (
        (told.filter(actor=actor) if actor else told)
        .values("actor")
        .annotate(things=Count("object_ref", distinct=True), first=Min("at"), last=Max("at"))
        .filter(things__gte=least)
        .order_by("actor")
    )
    return [Activity(r["actor"], r["things"], r["first"], r["last"]) for r in rows]


def _recorded(row: Event) -> RecordedEvent:
    told = json.loads(bytes(row.record))
    sealed = told["personal"]
    key = SubjectKey.objects.filter(key_digest=row.key_digest).first() if sealed else None
    personal = None
    if key is not None and key.key is not None:
        personal = json.loads(sealing.unseal(bytes(key.key), sealed))
    return RecordedEvent(
        event_id=row.pk,
        log_index=row.log_index,
        kind=row.kind,
        actor=row.actor,
        object=row.object_ref,
        at=row.at,
        body=told["body"],
        personal=personal,
        is_erased=sealed is not None and personal is None,
    )


def log_status() -> LogStatus:
    """How far the log has come, and what waits."""
    newest = CheckpointRow.objects.order_by("-size").first()
    waiting = Event.objects.filter(log_index__isnull=True)
    oldest = waiting.order_by("id").values_list("at", flat=True).first()
    return LogStatus(newest.size if newest else 0, waiting.count(), oldest)


def check_log(*, progress: Callable[[str], None] | None = None) -> list[LogFinding]:
    """Check everything against everything: guards, events, files, checkpoints, signatures.

    Returns what is wrong, empty when the log holds. It cannot see a history rewritten everywhere
    at once, keys included: for that, the public verifier keeps a witness file elsewhere.

    Cost: reads every event once; about 30 µs each.
    """
    say = progress or (lambda _: None)
    findings = [LogFinding(f"数据库里的保护不在或被关闭：{name}") for name in _missing_guards()]
    try:
        checkpoint = find_checkpoint()
    except GetihuError as error:
        return [*findings, LogFinding(f"已发布的检查点不可信：{error}")]
    say("逐条核对事件")
    findings += _check_events(checkpoint.size if checkpoint else 0)
    if checkpoint:
        say("逐个核对文件")
        findings += _check_files(checkpoint)
    elif CheckpointRow.objects.exists():
        findings.append(LogFinding("已发布的检查点文件不见了"))
    return findings


def _missing_guards() -> list[str]:
    return guards.missing_guards(connection)


def last_told(kind: str) -> datetime | None:
    """When something of a kind happened last; None: never, or longer ago than events are kept."""
    return Event.objects.filter(kind=kind).aggregate(last=Max("at"))["last"]


def _check_events(size: int) -> Iterator[LogFinding]:
    """Every event says what its commitment says, and the sequenced ones stand in the files. Empty
    are only those of the beginning that the log itself says were, after their term."""
    told = list_latest(EMPTIED, limit=1)
    through, before = (told[0].body["through"], told[0].body["before"]) if told else (-1, "")
    folder = TileFolder(log_folder())
    expected, number, bundle = 0, -1, []
    rows = Event.objects.filter(log_index__isnull=False).order_by("log_index")
    for row in rows.iterator(chunk_size=2000):
        index = row.log_index
        assert index is not None
        if index != expected:
            yield LogFinding(f"序号不连续：应为 {expected}，是 {index}", index)
        expected = index + 1
        if not row.record:
            if index > through or moment_text(row.at) >= before:
                yield LogFinding("事件的内容被清空，日志里没有说它过了保存期", index)
        else:
            yield from _check_event(row)
        if index >= size:
            continue
        if index // 256 != number:
            number = index // 256
            try:
                width = min(256, size - number * 256)
                bundle = folder.entries(Tile(ENTRIES, number, width))
            except TileDamaged as error:
                bundle = []
                yield LogFinding(str(error), index)
        if bundle and bundle[index % 256].hex() != row.commitment:
            yield LogFinding("数据库里的事件与日志文件不符", index)
    if expected < size:
        yield LogFinding(f"检查点有 {size} 条，数据库里只有 {expected} 条")
    for row in Event.objects.filter(log_index__isnull=True).iterator(chunk_size=2000):
        yield from _check_event(row)


def _check_event(row: Event) -> Iterator[LogFinding]:
    text = bytes(row.record)
    if commitment(bytes(row.salt), text).hex() != row.commitment:
        yield LogFinding("事件的内容与承诺值不符", row.log_index)
        return
    told: dict[str, Any] = json.loads(text)
    columns = (row.actor, moment_text(row.at), row.kind, row.object_ref)
    if columns != (told["actor"], told["at"], told["kind"], told["object"]):
        yield LogFinding("检索用的列与事件的内容不符", row.log_index)


def _check_files(checkpoint: Checkpoint) -> Iterator[LogFinding]:
    folder = TileFolder(log_folder())
    try:
        for tile in tiles_of(checkpoint.size):
            check_tile(folder, tile)
            check_older_partials(folder, tile)
        subtree = folder.subtree(checkpoint.size)
        verifiers = log_verifiers()
        for row in CheckpointRow.objects.order_by("size"):
            signed = note.read_checkpoint(row.note, settings.AUDIT_ORIGIN, verifiers)
            if signed.size != row.size or signed.root.hex() != row.root:
                yield LogFinding(f"{row.size} 条时的检查点与它的签名文本不符")
            elif row.size > checkpoint.size:
                yield LogFinding(f"签过 {row.size} 条的检查点，发布的只有 {checkpoint.size} 条")
            elif merkle.root(row.size, subtree) != signed.root:
                yield LogFinding(f"日志文件不是从 {row.size} 条时的检查点长出来的")
        if merkle.root(checkpoint.size, subtree) != checkpoint.root:
            yield LogFinding("日志文件与已发布的检查点不符")
        if not CheckpointRow.objects.filter(size=checkpoint.size).exists():
            yield LogFinding(f"数据库里没有 {checkpoint.size} 条时的检查点")
    except GetihuError as error:
        yield LogFinding(str(error))


def is_waiting_since(before: datetime) -> bool:
    """Whether an event told before this moment still waits for the sequencer."""
    return Event.objects.filter(log_index__isnull=True, at__lt=before).exists()
