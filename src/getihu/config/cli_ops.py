"""Keeping the service running: ``getihu work``. A door: reads the clock, makes each call."""

import contextlib
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import click

Start = Callable[[], Any]
CITY_TIME = ZoneInfo("Asia/Shanghai")
MOST_ROUNDS = 200  # of one job in one pass; what is left waits for the next pass


@dataclass
class PassReport:
    """What one pass did. ``failed`` names the jobs that broke; the others ran all the same."""

    escalated: int = 0
    rectified: int = 0
    notices_sent: int = 0
    events_sent: int = 0
    awarded: int = 0
    corrected: int = 0
    paid: int = 0
    repaired: int = 0
    pooled: int = 0
    pushed: int = 0
    logged: int = 0
    alarmed: int = 0
    erased: int = 0
    failed: list[str] = field(default_factory=list)


def register(main: click.Group, start: Start) -> None:
    """Hang the commands into the command line. ``start`` makes the settings ready."""
    main.add_command(_work(start))


def run_pass(at: datetime) -> PassReport:
    """Do what is due by ``at``: escalate late clocks, send notices, take events into the log.

    By level: nothing is remembered between passes, so a pass after any stop, or in several
    processes at once, does what was missed and nothing twice. A job that fails does not keep the
    next from running; its error is told by class and place alone, for its text may hold a person.
    """
    report = PassReport()
    jobs = (
        ("sweep", _sweep),
        ("licences", _follow),
        ("ratings", _rate),
        ("appeals", _appeal),
        ("windows", _window),
        ("awards", _award),
        ("corrections", _correct),
        ("payments", _pay),
        ("repairs", _repair),
        ("pools", _tend),
        ("pushes", _push),
        ("consents", _expire),
        ("profiles", _profile),
        ("indicators", _measure),
        ("reading", _watch),
        ("retention", _erase),
        ("notices", _deliver),
        ("events", _publish),
        ("log", _sequence),
    )
    for name, job in jobs:
        try:
            job(at, report)
        except Exception as error:
            report.failed.append(name)
            _tell_failure(name, error)
    return report


def _sweep(at: datetime, report: PassReport) -> None:
    from getihu.cases import services

    for _ in range(MOST_ROUNDS):
        done = services.sweep_due(at)
        report.escalated += done
        if not done:
            break
    services.try_held_parts(at)


def _follow(at: datetime, report: PassReport) -> None:
    from getihu.journeys import services

    services.sweep_licences(at)


def _measure(at: datetime, report: PassReport) -> None:
    from getihu.insight import services

    services.measure_daily(at)
    services.write_due_report(at)


def _rate(at: datetime, report: PassReport) -> None:
    from getihu.evaluations import services

    for _ in range(MOST_ROUNDS):
        done = services.sweep_ratings(at)
        report.rectified += done.opened
        report.escalated += done.escalated
        if not (done.opened + done.escalated):
            return


def _appeal(at: datetime, report: PassReport) -> None:
    from getihu.support import services

    for _ in range(MOST_ROUNDS):
        done = services.sweep_appeals(at)
        report.escalated += done.escalated
        if not (done.reminded + done.escalated + done.closed + done.rehomed):
            return


def _window(at: datetime, report: PassReport) -> None:
    from getihu.entry import services

    services.sweep_window(at)


def _award(at: datetime, report: PassReport) -> None:
    from getihu.policies import services

    report.awarded += services.work_awards(at)


def _correct(at: datetime, report: PassReport) -> None:
    from getihu.dataplane.selectors import NothingPublished
    from getihu.policies import services

    with contextlib.suppress(NothingPublished):
        report.corrected += services.work_corrections(at)


def _pay(at: datetime, report: PassReport) -> None:
    from getihu.policies import services

    services.submit_due(at)
    report.paid += services.reconcile_recent(at).paid


def _repair(at: datetime, report: PassReport) -> None:
    from getihu.supervision import services

    report.repaired += services.work_repairs(at)


def _tend(at: datetime, report: PassReport) -> None:
    from getihu.growth import services

    report.pooled += services.work_growth(at)


def _push(at: datetime, report: PassReport) -> None:
    """Once for each published snapshot and quarter; before the city is decided there is nothing."""
    from getihu.dataplane.selectors import NothingPublished
    from getihu.policies import services
    from getihu.rulebook.selectors import NotSwept

    services.write_published()  # a crash may have kept files from being written
    try:
        done = services.push(at=at)
    except (NothingPublished, NotSwept):
        return
    report.pushed += done.told + done.near if done else 0


def _expire(at: datetime, report: PassReport) -> None:
    from getihu.registry import services

    services.expire_consents(at)


def _profile(at: datetime, report: PassReport) -> None:
    """What departments promised to put right, what they contradict each other in, and once a
    quarter the neighbours; before the city is decided there is nothing."""
    from getihu.dataplane.selectors import FactsNotBuilt, NothingPublished, get_published_snapshot
    from getihu.growth import services
    from getihu.rulebook.selectors import NotSwept

    try:
        published = get_published_snapshot()
        services.follow_corrections(at)
        services.find_conflicts(published.data_until, published.snapshot_id, at=at)
        services.make_edition(at.astimezone(CITY_TIME).date())
    except (NothingPublished, NotSwept, FactsNotBuilt):
        return


def _watch(at: datetime, report: PassReport) -> None:
    from getihu.journeys import services

    report.alarmed += services.watch_reading(at)


def _erase(at: datetime, report: PassReport) -> None:
    from getihu.config import retention

    report.erased += sum(retention.sweep_if_due(at).values())


def _deliver(at: datetime, report: PassReport) -> None:
    from getihu.notifications import services

    for _ in range(MOST_ROUNDS):
        done = services.deliver(at)
        report.notices_sent += done.sent
        # What is put off or tried again has a later moment and is not met twice in this pass.
        if not (done.sent + done.retracted + done.declined + done.failed):
            return


def _publish(at: datetime, report: PassReport) -> None:
    from getihu.notifications import services

    for _ in range(MOST_ROUNDS):
        done = services.deliver_events(at)
        report.events_sent += done.sent
        if not (done.sent + done.failed):
            return


def _sequence(at: datetime, report: PassReport) -> None:
    from getihu.audit import services

    try:
        report.logged += services.sequence(at).taken
    except services.SequencerRunning:
        return  # another worker has it, and takes what we would


def _told(report: PassReport) -> str:
    """What a pass did, in one line; empty for nothing."""
    counts = (
        ("升级", report.escalated),
        ("开差评整改", report.rectified),
        ("认定兑付", report.awarded),
        ("付后更正", report.corrected),
        ("培育库", report.pooled),
        ("到账", report.paid),
        ("修复信用", report.repaired),
        ("推送政策", report.pushed),
        ("查看警报", report.alarmed),
        ("到期清除", report.erased),
        ("发出通知", report.notices_sent),
        ("送出事件", report.events_sent),
        ("收进日志", report.logged),
    )
    return "，".join(f"{what} {count:,}" for what, count in counts if count)


def _room_left() -> str:
    """What is said before there is no room; empty while there is enough."""
    from getihu.config.room import RoomState, disk_room

    left = disk_room()
    if left.state is RoomState.WELL:
        return ""
    return f"存储空间只剩 {left.share_left:.0%}（{left.free_bytes // 1024**2:,} MB），请腾出空间。"


def _tell_failure(name: str, error: Exception) -> None:
    from getihu.kernel.errors import GetihuError

    where = traceback.extract_tb(error.__traceback__)[-1]
    said = str(error) if isinstance(error, GetihuError) else ""
    click.echo(
        f"{name} 没有做完：{type(error).__name__}（{where.name}，第 {where.lineno} 行）{said}",
        err=True,
    )


def _work(start: Start) -> click.Command:
    @click.command("work")
    @click.option("--once", is_flag=True, help="做完到期的就停；有没做成的，退出码为 1。")
    @click.option(
        "--every", default=5.0, show_default=True, type=click.FloatRange(min=0.1), metavar="秒",
        help="两轮之间等多久。",
    )  # fmt: skip
    def work(once: bool, every: float) -> None:
        """一轮轮做到期的事：逾期升级、开差评整改、发通知、送事件、收进审计日志。可以同时开几个，随时可停。"""
        start()
        from django.core.management import call_command
        from django.db import close_old_connections

        from getihu.config import checks  # noqa: F401  registers the start-up refusals

        call_command("check", databases=["default"], verbosity=0, stdout=sys.stderr)

        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        while True:
            close_old_connections()  # a database that was restarted is opened again
            if warning := _room_left():
                click.echo(warning, err=True)
            report = run_pass(datetime.now(UTC))
            if words := _told(report):
                click.echo(words)
            if once or stop.wait(every):
                sys.exit(1 if once and report.failed else 0)

    return work
