"""Turn a started run into awards: in the published order, a stretch per transaction, until the
money ends. Stopped anywhere and run again, it ends as if it had never been stopped."""

import contextlib
import hashlib
import uuid
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction

from getihu.kernel.errors import GetihuError
from getihu.policies.contracts import Finding, RunState
from getihu.policies.machine import AwardState, Side
from getihu.policies.models import Award, AwardRun, Budget, LedgerEntry
from getihu.policies.programmes import Programme, get_programme
from getihu.policies.services.moves import move_many, move_total, note_moves
from getihu.policies.services.planning import Line, read_list, record_run
from getihu.policies.services.rights import NotNow
from getihu.policies.services.subjects import subjects_of, who_have
from getihu.policies.services.telling import tell_entitled
from getihu.rulebook import services as rulebook
from getihu.rulebook.contracts import Slip

STRETCH = 500
CITY_TIME = ZoneInfo("Asia/Shanghai")
_NAMESPACE = uuid.UUID("6b1f1f0e-5a3c-5d0e-9c55-1f5f6a3b7a10")


class EnginesDisagree(GetihuError):
    """Decided one by one, somebody gets something else than in the sweep of the city."""


def award_id(family: str, subject: str, period: str) -> uuid.UUID:
    """The number of the only award there can be."""
    return uuid.uuid5(_NAMESPACE, f"{family}|{subject}|{period}")


def allot(
    run_id: uuid.UUID | str, *, at: datetime, on_stretch: Callable[[int, int], None] | None = None
) -> AwardRun:
    """Make the awards of a run that was started; may be called again after any stop.

    ``on_stretch(done, total)`` is told after each stretch. Raises: NotNow; EnginesDisagree, which
    halts the run.
    """
    run = AwardRun.objects.get(pk=run_id)
    if run.state == RunState.ALLOTTED:
        return run
    if run.state != RunState.ALLOTTING:
        raise NotNow("这一次没有开始，或者已经停下。处理办法：先试算、批准、开始。")
    programme, lines = get_programme(run.programme_id), read_list(run)
    budget = Budget.objects.get(programme_id=run.programme_id, period=run.period)
    for start in range(0, len(lines), STRETCH):
        stretch = lines[start : start + STRETCH]
        try:
            slips = _slips(run, stretch)
        except EnginesDisagree as error:
            _halt(run, error, at)
            raise
        with transaction.atomic():
            allot_stretch(run, programme, budget.pk, start, stretch, slips, at)
        if on_stretch:
            on_stretch(min(start + STRETCH, len(lines)), len(lines))
    with transaction.atomic():
        run.state, run.ended_at = RunState.ALLOTTED.value, at
        run.save(update_fields=["state", "ended_at"])
        record_run(run, "award_run.allotted", "job:awards", at, result_sha256=result_sha256(run))
    return run


def result_sha256(run: AwardRun) -> str:
    """A digest of all a run awarded: the same however often it was stopped on the way."""
    digest = hashlib.sha256()
    rows = (
        run.awards.filter(adjustment=None)
        .order_by("position")
        .values_list("id", "position", "cents", "slip_sha256", "moves__after")
    )
    for row in rows.filter(moves__before="").iterator():
        digest.update(("|".join(map(str, row)) + "\n").encode())
    return digest.hexdigest()


def _slips(run: AwardRun, stretch: Sequence[Line]) -> dict[str, Slip]:
    """Everybody decided once more, one by one; must say what the sweep said."""
    issued = rulebook.issue_slips(
        run.rule_id,
        [line.trader_code for line in stretch],
        as_of=run.as_of,
        snapshot_id=run.snapshot_id,
    )
    slips = {slip.trader_code: slip for slip in issued}
    for line in stretch:
        slip = slips.get(line.trader_code)
        cents = int(slip.amount_yuan.scaleb(2)) if slip and slip.amount_yuan is not None else None
        if slip is None or slip.outcome != "yes" or cents != line.cents:
            raise EnginesDisagree(
                "逐户再判的结果和全市判定不一致，已停下，一分钱没有付。处理办法：运行 getihu "
                "rules check，再重新试算。"
            )
        if slip.rule_version != run.rule_version:
            raise EnginesDisagree("规则在试算以后改过，已停下。处理办法：重新试算、批准。")
    return slips


def allot_stretch(
    run: AwardRun,
    programme: Programme,
    budget_id: int,
    start: int,
    stretch: Sequence[Line],
    slips: dict[str, Slip],
    at: datetime,
) -> None:
    """One transaction: who has none yet gets an award; the money is set aside or the place noted.

    The budget's row is held, so that runs of one programme wait for each other; who gets an award
    of the same family elsewhere at the same time meets the constraint, and is left out here.
    """
    budget = Budget.objects.select_for_update().get(pk=budget_id)
    subjects = subjects_of([line.trader_code for line in stretch])
    today = at.astimezone(CITY_TIME).date()
    until = today + timedelta(days=programme.confirm_within.days)
    rows = []
    for position, line in enumerate(stretch, start + 1):
        subject = subjects[line.trader_code]
        slip = slips[line.trader_code]
        rows.append(
            Award(
                id=award_id(run.family, subject, run.period),
                run=run,
                budget=budget,
                family=run.family,
                subject=subject,
                period=run.period,
                trader_code=line.trader_code,
                division=line.division,
                position=position,
                cents=line.cents,
                state=AwardState.WAITING.value,
                slip_sha256=slip.sha256,
                slip=slip.content,
                confirm_until=until,
                entitled_at=at,
            )
        )
    # Two codes found to be one subject since the list was made: the first place counts.
    firsts: dict[uuid.UUID, Award] = {}
    for row in rows:
        firsts.setdefault(row.pk, row)
    rows = list(firsts.values())
    ids = [row.pk for row in rows]
    there = set(Award.objects.filter(pk__in=ids).values_list("pk", flat=True))
    have = who_have(run.family, run.period, [row.subject for row in rows])
    there |= {row.pk for row in rows if row.subject in have}  # under another code of hers
    left = budget.left_cents
    # The first who no longer fits ends it: a smaller one behind does not jump the queue.
    is_over = run.awards.filter(state=AwardState.WAITING.value).exists()
    for row in (r for r in rows if r.pk not in there):
        is_over = is_over or row.cents > left
        if not is_over:
            row.state = AwardState.ENTITLED.value
            left -= row.cents
    # In one order for everybody, or two runs of a family could wait for each other for ever.
    new = sorted((row for row in rows if row.pk not in there), key=lambda row: row.pk)
    Award.objects.bulk_create(new, ignore_conflicts=True, batch_size=200)
    mine = set(run.awards.filter(pk__in=ids).values_list("pk", flat=True)) - there
    made = [row for row in rows if row.pk in mine]
    entitled = [row for row in made if row.state == AwardState.ENTITLED.value]
    if entitled:
        move_total(budget_id, "left", "reserved", sum(row.cents for row in entitled))
        LedgerEntry.objects.bulk_create(
            [
                LedgerEntry(
                    budget=budget,
                    award=row,
                    source="left",
                    target="reserved",
                    cents=row.cents,
                    at=at,
                )
                for row in entitled
            ],
            batch_size=500,
        )
    note_moves(made, "", side=Side.MACHINE, by=None, at=at)
    tell_entitled(programme, entitled, at=at)


def _halt(run: AwardRun, error: GetihuError, at: datetime) -> None:
    with transaction.atomic():
        run.state, run.ended_at = RunState.HALTED.value, at
        run.findings = [*run.findings, vars(Finding("engines", str(error)))]
        run.save(update_fields=["state", "ended_at", "findings"])
        record_run(run, "award_run.halted", "job:awards", at)


def serve_waiting(programme_id: str, period: str, *, at: datetime, limit: int = STRETCH) -> int:
    """Give places in the queue to money that came free (refused awards, more budget), in the
    published order; returns how many. The first who does not fit ends it."""
    programme = get_programme(programme_id)
    with transaction.atomic():
        budget = Budget.objects.select_for_update().get(programme_id=programme_id, period=period)
        queue = Award.objects.select_for_update().filter(
            budget=budget, state=AwardState.WAITING.value
        )
        served, left = [], budget.left_cents
        for award in queue.order_by("run__planned_at", "position")[:limit]:
            if award.cents > left:
                break
            left -= award.cents
            served.append(award)
        if not served:
            return 0
        today = at.astimezone(CITY_TIME).date()
        until = today + timedelta(days=programme.confirm_within.days)
        move_many(served, AwardState.ENTITLED, side=Side.MACHINE, by=None, at=at)
        Award.objects.filter(pk__in=[a.pk for a in served]).update(confirm_until=until)
        tell_entitled(programme, served, at=at)
    return len(served)


def work_awards(at: datetime) -> int:
    """Go on with every run that was started, then serve those who wait; returns how many awards
    are new or were served. A run that breaks is halted, and the others go on."""
    done = 0
    for pk in AwardRun.objects.filter(state=RunState.ALLOTTING.value).values_list("pk", flat=True):
        with contextlib.suppress(EnginesDisagree):
            done += allot(pk, at=at).awards.count()
    waiting = Award.objects.filter(state=AwardState.WAITING.value)
    for programme, period in set(waiting.values_list("run__programme_id", "period")):
        done += serve_waiting(programme, period, at=at)
    return done
