"""Deliveries in: verify, land, stage, audit, publish. Readers see snapshot n or n+1."""

import fcntl
import hashlib
import logging
import os
import shutil
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import duckdb
from django.conf import settings
from django.db import transaction

from getihu.dataplane.catalogue.contracts import CADENCES, load_contracts
from getihu.dataplane.contracts import DatasetContract, IngestReport
from getihu.dataplane.intake.audit import audit
from getihu.dataplane.intake.lines import Held
from getihu.dataplane.intake.manifest import (
    MANIFEST,
    SIGNATURE,
    Manifest,
    Rejected,
    check_files,
    check_listing,
    read_landed_manifest,
    read_manifest,
)
from getihu.dataplane.intake.stage import Staged, stage_delivery
from getihu.dataplane.models import Delivery, QuarantineReason, Snapshot, SnapshotDelivery
from getihu.dataplane.selectors.deliveries import (
    delivery_summary,
    find_published_snapshot,
    snapshot_summary,
)
from getihu.kernel.errors import GetihuError, nearest_name
from getihu.reference import selectors as reference

logger = logging.getLogger(__name__)
Progress = Callable[[str], None]
REGISTRATIONS: Final = "registrations"
# What departments send without its folder; other files (keys, notes) are no data.
DATA_SUFFIXES: Final = {".csv", ".txt", ".tsv", ".xls", ".xlsx", ".zip"}
# Deliveries read at a time: one decodes while the engine types another.
STAGED_AT_ONCE: Final = 2


class IngestRunning(GetihuError):
    """Another ingest holds the store."""

    exit_code = 3


@dataclass(frozen=True)
class _Ready:
    """A delivery staged and audited, waiting to be published."""

    manifest: Manifest
    staged: Staged


def ingest_directory(
    inbox: Path, *, at: datetime, progress: Progress | None = None
) -> IngestReport:
    """Take in every delivery folder below ``inbox`` and publish one new snapshot.

    ``at`` is the moment of receipt. Deliveries are read in the order they were issued; the
    resulting snapshot does not depend on the order of arrival. What cannot be trusted is rejected,
    what a person must see is held, what came before is a duplicate; the rest is published in one
    transaction. A crash before it leaves the old snapshot and no trace a reader could see.

    Raises: IngestRunning when another ingest is at work; NoDelivery.
    Cost: about 4 µs a row; peak memory in proportion to the largest delivery.
    """
    say = progress or (lambda _: None)
    started = time.monotonic()
    contracts = load_contracts()
    with store_alone():
        _remove_orphans()
        outcomes: list[Delivery] = []
        ready: dict[str, _Ready] = {}
        manifests = _read_manifests(inbox, contracts, at, outcomes)
        with ThreadPoolExecutor(STAGED_AT_ONCE) as pool:
            waiting: deque[_Staging] = deque()
            for number, (folder, manifest) in enumerate(manifests, start=1):
                say(f"({number}/{len(manifests)}) {manifest.delivery_id}：{manifest.rows:,} 行")
                # What came before under this number must be settled before this one is judged.
                is_repeated = any(w.manifest.delivery_id == manifest.delivery_id for w in waiting)
                while waiting and (is_repeated or len(waiting) > STAGED_AT_ONCE):
                    _settle(waiting.popleft(), at, ready, outcomes)
                started_staging = _begin(folder, manifest, at, ready, outcomes, pool)
                if started_staging:
                    waiting.append(started_staging)
            for staging in waiting:
                _settle(staging, at, ready, outcomes)
            for staging in _corrections_that_waited(ready, contracts, pool):
                _settle(staging, at, ready, outcomes)
        snapshot = _publish(ready, at, outcomes)
    deliveries = tuple(delivery_summary(d, contracts) for d in outcomes)
    return IngestReport(deliveries, snapshot, time.monotonic() - started)


def release_held(delivery_id: str, *, by: str, reason: str, at: datetime) -> IngestReport:
    """Publish a held delivery on a person's word (``by``, ``reason``), past the audit only.

    What cannot be read stays held. Raises: UnknownDelivery when none is held under this number.
    """
    started = time.monotonic()
    contracts = load_contracts()
    with store_alone():
        held = (
            Delivery.objects.filter(delivery_id=delivery_id, status="held").order_by("-id").first()
        )
        if held is None:
            raise UnknownDelivery(
                f"没有待人工处理的批次 {delivery_id}。处理办法：在数据页核对批次号。"
            )
        if Delivery.objects.filter(delivery_id=delivery_id, status="published").exists():
            raise UnknownDelivery(
                f"批次 {delivery_id} 已有一份发布。处理办法：请部门用新的批次号送更正批次。"
            )
        landed = _landed_dir(delivery_id, held.content_sha256)
        manifest = read_landed_manifest(landed, held.content_sha256, contracts)
        check_files(landed, manifest)
        try:
            staged = stage_delivery(
                landed, manifest, contracts[manifest.dataset], _stage_dir(manifest)
            )
        except Held as error:
            raise UnknownDelivery(f"批次 {delivery_id} 读不进来，不能放行：{error}") from error
        outcomes: list[Delivery] = []
        snapshot = _publish(
            {delivery_id: _Ready(manifest, staged)}, at, outcomes, released=(by, reason)
        )
        _keep_held_list(manifest, None)
    deliveries = tuple(delivery_summary(d, contracts) for d in outcomes)
    return IngestReport(deliveries, snapshot, time.monotonic() - started)


def rebuild(*, progress: Progress | None = None) -> None:
    """Make the columnar store again from the landed files; facts and decisions follow from it.

    Every delivery is read before any stored file is touched, so a rebuild that fails changes
    nothing. Raises: RebuildDiffers when a delivery no longer gives the rows that were published,
    Rejected when a landed file is no longer what was signed.
    """
    say = progress or (lambda _: None)
    contracts = load_contracts()
    with store_alone():
        shutil.rmtree(_root() / "staging", ignore_errors=True)
        again: list[_Ready] = []
        for delivery in Delivery.objects.filter(status="published").order_by("issued_at", "id"):
            say(delivery.delivery_id)
            again.append(_read_again(delivery, contracts))
        for name in ("store", "quarantine", "facts", "decisions"):
            shutil.rmtree(_root() / name, ignore_errors=True)
        for item in again:
            _move_into_store(item.manifest, item.staged)
        shutil.rmtree(_root() / "staging", ignore_errors=True)


def _read_again(delivery: Delivery, contracts: dict[str, DatasetContract]) -> _Ready:
    landed = _landed_dir(delivery.delivery_id, delivery.content_sha256)
    manifest = read_landed_manifest(landed, delivery.content_sha256, contracts)
    check_listing(landed, manifest)
    check_files(landed, manifest)
    staged = stage_delivery(landed, manifest, contracts[manifest.dataset], _stage_dir(manifest))
    now = (staged.accepted, staged.quarantined, staged.duplicate)
    if now != (delivery.accepted, delivery.quarantined, delivery.duplicate):
        raise RebuildDiffers(
            f"批次 {delivery.delivery_id} 重建后入库 {staged.accepted} 行、"
            f"隔离 {staged.quarantined} 行，当时是 {delivery.accepted} 行、"
            f"{delivery.quarantined} 行。处理办法：核对程序版本和数据契约的改动。"
        )
    return _Ready(manifest, staged)


class UnknownDelivery(GetihuError):
    """No such delivery in the state asked for."""

    exit_code = 3


class RebuildDiffers(GetihuError):
    """Landed files no longer give the published rows."""


def _read_manifests(
    inbox: Path, contracts: dict[str, DatasetContract], at: datetime, outcomes: list[Delivery]
) -> list[tuple[Path, Manifest]]:
    """Deliveries whose manifest holds, oldest first; the others become rejections."""
    found = []
    for folder in _delivery_folders(inbox, at, outcomes):
        try:
            manifest = read_manifest(folder, settings.DEPARTMENT_KEYS_DIR, contracts)
            check_listing(folder, manifest)
            found.append((folder, manifest))
        except Rejected as error:
            outcomes.append(_record_rejection(folder, at, str(error)))
        except OSError as error:
            outcomes.append(_record_rejection(folder, at, _unreadable(error)))
    return sorted(found, key=lambda item: (item[1].issued_at, item[1].delivery_id, item[0].name))


def _delivery_folders(inbox: Path, at: datetime, outcomes: list[Delivery]) -> list[Path]:
    """Every folder that should be a delivery; data files that lie about become rejections.

    A folder of deliveries, or one delivery itself. Folders of public keys are none. Raises
    NoDelivery when there is nothing to take in.
    """
    if (inbox / MANIFEST).exists():
        return [inbox]
    listed = sorted(p for p in inbox.iterdir() if not p.name.startswith("."))
    folders = [p for p in listed if p.is_dir() and not _holds_keys(p)]
    loose = [p for p in listed if p.is_file() and p.suffix.lower() in DATA_SUFFIXES]
    for path in loose:
        problem = (
            f"{path.name} 不在批次目录里，没有清单和签名。"
            "处理办法：每批一个目录，连同 manifest.json 和签名一起送达。"
        )
        outcomes.append(_record_rejection(path, at, problem))
    if not folders and not loose:
        raise NoDelivery(
            f"{inbox} 里没有批次。处理办法：给出收件目录，其中每批一个目录、各有 manifest.json。"
        )
    return folders


def _holds_keys(folder: Path) -> bool:
    names = [p.suffix for p in folder.iterdir()]
    return bool(names) and set(names) == {".pem"}


def _unreadable(error: OSError) -> str:
    return (
        f"{error.filename} 读不出来（{error.strerror}）。处理办法：核对文件权限和磁盘后重新收数。"
    )


class NoDelivery(GetihuError):
    """A folder without any delivery."""


@dataclass(frozen=True)
class _Staging:
    """A delivery being read by a worker."""

    manifest: Manifest
    staged: Future[Staged]


def _begin(
    folder: Path,
    manifest: Manifest,
    at: datetime,
    ready: dict[str, _Ready],
    outcomes: list[Delivery],
    pool: ThreadPoolExecutor,
) -> _Staging | None:
    """Land one delivery and let a worker read it; None when its number settles it."""
    earlier = _earlier_content(manifest.delivery_id, ready)
    try:
        landed = _land(folder, manifest)
    except Rejected as error:
        outcomes.append(_record_rejection(folder, at, str(error)))
        return None
    except OSError as error:
        if not str(error.filename).startswith(str(folder)):
            raise  # our own disk, not the department's file
        outcomes.append(_record_rejection(folder, at, _unreadable(error)))
        return None
    if manifest.content_sha256 in earlier:
        problem = "同一批次已送达过，内容相同，没有重复入库。"
        outcomes.append(_record(manifest, at, "duplicate", problem))
        return None
    if owner := _other_department(manifest):
        problem = f"批次号 {manifest.delivery_id} 已由{owner}用过。处理办法：换一个批次号重新送达。"
        outcomes.append(_record(manifest, at, "held", problem))
        return None
    if earlier:
        problem = (
            "这个批次号已有另一份内容。"
            "处理办法：请部门核对；确属更正的，用新的批次号并写明更正哪一批。"
        )
        outcomes.append(_record(manifest, at, "held", problem))
        return None
    contract = load_contracts()[manifest.dataset]
    staged = pool.submit(stage_delivery, landed, manifest, contract, _stage_dir(manifest))
    return _Staging(manifest, staged)


def _settle(
    staging: _Staging, at: datetime, ready: dict[str, _Ready], outcomes: list[Delivery]
) -> None:
    """Wait for a worker and audit what it read: ready to be published, or held."""
    manifest = staging.manifest
    contract = load_contracts()[manifest.dataset]
    staged: Staged | None = None
    try:
        staged = staging.staged.result()
        _check_corrected(manifest, ready)
        audit(manifest, contract, staged, _comparable_rows(manifest, contract, ready), at)
        ready[manifest.delivery_id] = _Ready(manifest, staged)
        _keep_held_list(manifest, None)
    except Held as error:
        held = _record(manifest, at, "held", str(error))
        if staged:
            held.quarantined = staged.quarantined
            held.save()
        outcomes.append(held)
        _keep_held_list(manifest, staged)
    except duckdb.Error as error:
        logger.error("delivery %s could not be read", manifest.delivery_id, exc_info=error)
        problem = "这一批没能读完，其他批次不受影响。处理办法：重新收数；仍不行的，报管理员。"
        outcomes.append(_record(manifest, at, "held", problem))


def _check_corrected(manifest: Manifest, ready: dict[str, _Ready]) -> None:
    """A correction names what it corrects: a delivery of the same dataset that counts. Raises
    Held."""
    if manifest.corrects is None:
        return
    published = Delivery.objects.filter(dataset=manifest.dataset, status="published")
    known = set(published.values_list("delivery_id", flat=True))
    known |= {
        r.manifest.delivery_id for r in ready.values() if r.manifest.dataset == manifest.dataset
    }
    if manifest.corrects in known - {manifest.delivery_id}:
        return
    near = nearest_name(manifest.corrects, known)
    hint = (
        f"是不是 {near}？" if near else "原批次还没有送到的，不用重送：它入库时这一批会自动再收。"
    )
    raise Held(f"清单说更正 {manifest.corrects}，同一数据集里没有入库的这一批。处理办法：{hint}")


def _corrections_that_waited(
    ready: dict[str, _Ready], contracts: dict[str, DatasetContract], pool: ThreadPoolExecutor
) -> Iterator[_Staging]:
    """Held corrections whose original is about to be published: they are read again from what
    was landed, so that the order of arrival does not matter."""
    held = Delivery.objects.filter(status="held", corrects__in=list(ready)).order_by("id")
    published = Delivery.objects.filter(status="published").values("delivery_id")
    seen: set[str] = set(ready)
    for row in held.exclude(delivery_id__in=published):
        if row.delivery_id in seen:
            continue
        seen.add(row.delivery_id)
        landed = _landed_dir(row.delivery_id, row.content_sha256)
        manifest = read_landed_manifest(landed, row.content_sha256, contracts)
        check_files(landed, manifest)
        contract = contracts[manifest.dataset]
        yield _Staging(
            manifest, pool.submit(stage_delivery, landed, manifest, contract, _stage_dir(manifest))
        )


def _other_department(manifest: Manifest) -> str:
    """The department that already published under this number; empty when it is the same."""
    other = (
        Delivery.objects.filter(delivery_id=manifest.delivery_id, status="published")
        .exclude(department=manifest.department)
        .first()
    )
    return reference.department_name(other.department) if other else ""


def _keep_held_list(manifest: Manifest, staged: Staged | None) -> None:
    """Keep what is wrong with a held delivery for the office that must mend it."""
    for suffix in (".csv", ".parquet"):
        path = _root() / "held" / f"{manifest.delivery_id}{suffix}"
        path.unlink(missing_ok=True)
        if staged:
            path.parent.mkdir(parents=True, exist_ok=True)
            (staged.quarantine_csv if suffix == ".csv" else staged.quarantine_parquet).replace(path)


def _earlier_content(delivery_id: str, ready: dict[str, _Ready]) -> set[str]:
    """Digests of what was published, or is about to be, under this number."""
    published = Delivery.objects.filter(delivery_id=delivery_id, status="published")
    found = set(published.values_list("content_sha256", flat=True))
    if delivery_id in ready:
        found.add(ready[delivery_id].manifest.content_sha256)
    return found


def _comparable_rows(
    manifest: Manifest, contract: DatasetContract, ready: dict[str, _Ready]
) -> int | None:
    """Rows of the nearest earlier delivery of the same kind; None when there is none.

    Only periods repeat themselves: changes and events come in any number.
    """
    if contract.kind != "period" or manifest.corrects:
        return None
    rows = [
        (d.covers_until, d.rows_in)
        for d in Delivery.objects.filter(
            dataset=manifest.dataset, status="published", corrects=None
        )
        if sorted(d.divisions) == sorted(manifest.divisions) and d.covers_until
    ]
    rows += [
        (r.manifest.covers_until, r.staged.rows_in)
        for r in ready.values()
        if r.manifest.dataset == manifest.dataset
        and r.manifest.corrects is None
        and sorted(r.manifest.divisions) == sorted(manifest.divisions)
    ]
    before = [row for row in rows if row[0] < manifest.covers_until]
    return max(before)[1] if before else None


def _publish(
    ready: dict[str, _Ready],
    at: datetime,
    outcomes: list[Delivery],
    released: tuple[str, str] = ("", ""),
):
    """Move staged files into the store, then publish them all in one transaction."""
    current = find_published_snapshot()
    if not ready:
        return snapshot_summary(current) if current else None
    for item in ready.values():
        _move_into_store(item.manifest, item.staged)
    with transaction.atomic():
        for item in ready.values():
            delivery = _record(item.manifest, at, "published", "", item.staged, released)
            outcomes.append(delivery)
        snapshot = _insert_snapshot(at)
    shutil.rmtree(_root() / "staging", ignore_errors=True)
    return snapshot_summary(snapshot)


def _insert_snapshot(at: datetime) -> Snapshot:
    """The snapshot of everything published; its id depends on contents only."""
    deliveries = list(Delivery.objects.filter(status="published"))
    contents = sorted(f"{d.dataset} {d.delivery_id} {d.content_sha256}" for d in deliveries)
    digest = hashlib.sha256("\n".join(contents).encode()).hexdigest()
    last = Snapshot.objects.order_by("-number").first()
    # The city's date is that of its register: other departments may be ahead or behind.
    register = [d.covers_until for d in deliveries if d.dataset == REGISTRATIONS and d.covers_until]
    every = [d.covers_until for d in deliveries if d.covers_until]
    snapshot = Snapshot.objects.create(
        number=last.number + 1 if last else 1,
        snapshot_id=f"s{digest[:12]}",
        published_at=at,
        data_until=max(register or every),
        row_count=sum(d.accepted for d in deliveries),
    )
    SnapshotDelivery.objects.bulk_create(
        SnapshotDelivery(snapshot=snapshot, delivery=d) for d in deliveries
    )
    return snapshot


def _record(
    manifest: Manifest,
    at: datetime,
    status: str,
    problem: str,
    staged: Staged | None = None,
    released: tuple[str, str] = ("", ""),
) -> Delivery:
    contract = load_contracts()[manifest.dataset]
    months = CADENCES[contract.cadence]
    due = manifest.covers_until + timedelta(days=contract.grace_days)
    delivery = Delivery.objects.create(
        delivery_id=manifest.delivery_id,
        content_sha256=manifest.content_sha256,
        dataset=manifest.dataset,
        department=manifest.department,
        period=manifest.period,
        issued_at=manifest.issued_at,
        received_at=at,
        covers_until=manifest.covers_until,
        divisions=sorted(manifest.divisions),
        corrects=manifest.corrects,
        is_late=manifest.corrects is None and months > 0 and manifest.issued_at.date() > due,
        rows_in=staged.rows_in if staged else manifest.rows,
        accepted=staged.accepted if staged else 0,
        quarantined=staged.quarantined if staged else 0,
        duplicate=staged.duplicate if staged else (manifest.rows if status == "duplicate" else 0),
        status=status,
        problem=problem,
        released_by=released[0],
        release_reason=released[1],
    )
    if staged:
        QuarantineReason.objects.bulk_create(
            QuarantineReason(delivery=delivery, reason_code=code, reason=reason, rows=rows)
            for code, (reason, rows) in staged.reasons.items()
        )
    return delivery


def _record_rejection(folder: Path, at: datetime, problem: str) -> Delivery:
    """A delivery we may not believe: only its folder's name and the reason are kept."""
    return Delivery.objects.create(
        delivery_id=folder.name[:80],
        content_sha256="",
        dataset="",
        department="",
        period="",
        received_at=at,
        status="rejected",
        problem=problem,
    )


# Files


def _root() -> Path:
    return Path(settings.DATA_DIR) / "dataplane"


def _landed_dir(delivery_id: str, content_sha256: str) -> Path:
    return _root() / "landed" / f"{delivery_id}-{content_sha256[:8]}"


def _stage_dir(manifest: Manifest) -> Path:
    return _root() / "staging" / manifest.delivery_id


def _land(folder: Path, manifest: Manifest) -> Path:
    """Keep the files as received, and check that what we keep is what was signed.

    The copy is checked, not the original: nobody can change it between the check and the reading.
    Raises: Rejected; then nothing is kept.
    """
    target = _landed_dir(manifest.delivery_id, manifest.content_sha256)
    coming = target.with_name(target.name + ".coming")
    shutil.rmtree(coming, ignore_errors=True)
    coming.mkdir(parents=True)
    try:
        for name in [MANIFEST, SIGNATURE, *(file.name for file in manifest.files)]:
            _copy(folder / name, coming / name)
        check_files(coming, manifest)
        if not target.exists():
            coming.replace(target)
            _sync(target.parent)
    finally:
        shutil.rmtree(coming, ignore_errors=True)
    return target


def _copy(source: Path, target: Path) -> None:
    """Copy to disk for good."""
    shutil.copyfile(source, target)
    _sync(target)


def _sync(path: Path) -> None:
    """Make a file's contents, or a folder's names, survive a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _move_into_store(manifest: Manifest, staged: Staged) -> None:
    for source, target in (
        (staged.accepted_file, f"store/{manifest.dataset}/{manifest.delivery_id}.parquet"),
        (staged.quarantine_parquet, f"quarantine/{manifest.delivery_id}.parquet"),
        (staged.quarantine_csv, f"quarantine/{manifest.delivery_id}.csv"),
    ):
        path = _root() / target
        path.parent.mkdir(parents=True, exist_ok=True)
        _sync(source)
        source.replace(path)
        _sync(path.parent)


def _remove_orphans() -> None:
    """Files of an ingest that ended before it published."""
    shutil.rmtree(_root() / "staging", ignore_errors=True)
    published = set(
        Delivery.objects.filter(status="published").values_list("delivery_id", flat=True)
    )
    for path in [*(_root() / "store").glob("*/*.parquet"), *(_root() / "quarantine").glob("*.*")]:
        if path.stem not in published:
            path.unlink()


@contextmanager
def store_alone() -> Iterator[None]:
    """Hold the store alone. Raises IngestRunning."""
    _root().mkdir(parents=True, exist_ok=True)
    with (_root() / "ingest.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise IngestRunning("另一次收数正在进行。处理办法：等它结束后再试。") from None
        yield
