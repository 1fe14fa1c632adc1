"""A sample of the confirmed awards is looked at by a person before any of them is paid."""

import hashlib
import math
import uuid
from datetime import datetime

from django.db import transaction

from getihu.access.services import over_the_wall
from getihu.accounts.contracts import Actor, Role
from getihu.audit import selectors as audited
from getihu.kernel.errors import GetihuError
from getihu.policies.machine import AwardState, Side
from getihu.policies.models import Award, AwardRun, SampleCheck
from getihu.policies.programmes import get_programme
from getihu.policies.services.moves import in_reach, move_award, move_many
from getihu.policies.services.planning import record_run
from getihu.policies.services.rechecking import recheck
from getihu.policies.services.rights import NotNow, check_right
from getihu.policies.services.telling import tell_moved

MAY_CHECK = frozenset({Role.CASE_OFFICER, Role.SUPERVISOR})
MAY_DECIDE = frozenset({Role.SUPERVISOR})
STRETCH = 500


class SampleOpen(GetihuError):
    """The sample is not drawn, not looked at, or something in it was wrong."""


@over_the_wall()
def draw_sample(run_id: uuid.UUID | str, *, at: datetime) -> int:
    """Draw the sample of what was confirmed since the last draw; returns how many are in it.

    The seed is of the public log as it stands and of what is drawn from, and goes into the log:
    nobody knows beforehand whether she is in it, and anybody can draw again afterwards.
    """
    with transaction.atomic():
        run = AwardRun.objects.select_for_update().get(pk=run_id)
        waiting = Award.objects.select_for_update().filter(
            run=run, state=AwardState.CONFIRMED.value, is_sampled=None
        )
        ids = sorted(str(pk) for pk in waiting.values_list("pk", flat=True))
        if not ids:
            return 0
        sample = get_programme(run.programme_id).sample
        size = min(len(ids), max(sample.least, math.ceil(sample.share * len(ids))))
        checkpoint = audited.find_checkpoint()
        root = checkpoint.root.hex() if checkpoint else ""
        seed = hashlib.sha256(f"{run.seed}|{root}|{'|'.join(ids)}".encode()).hexdigest()
        chosen = drawn(seed, ids, size)
        Award.objects.filter(pk__in=chosen).update(is_sampled=True)
        Award.objects.filter(pk__in=set(ids) - set(chosen)).update(is_sampled=False)
        record_run(
            run, "award_run.sampled", "job:awards", at, seed=seed, of=str(len(ids)), n=str(size)
        )
    return size


def drawn(seed: str, ids: list[str], size: int) -> list[str]:
    """The sample anybody can draw again: the smallest SHA-256 of seed and number."""
    return sorted(ids, key=lambda i: hashlib.sha256(f"{seed}|{i}".encode()).hexdigest())[:size]


def check_award(
    award_id: uuid.UUID | str, *, is_right: bool, note: str = "", by: Actor, at: datetime
) -> None:
    """A person looked at one award of the sample. A wrong one is held, and stops the run.

    Raises: NotAllowed, NotNow.
    """
    check_right(by, MAY_CHECK, "抽查")
    with transaction.atomic():
        award = in_reach(award_id, by)
        if not award.is_sampled or award.state != AwardState.CONFIRMED.value:
            raise NotNow("这笔不在抽查名单里，或者已经往下走了。")
        if not is_right and not note.strip():
            raise NotNow("有问题的要写明哪里不对。")
        if SampleCheck.objects.filter(award=award).exists():
            raise NotNow("这笔已经查过。")
        SampleCheck.objects.create(
            award=award, is_right=is_right, note=note, by_id=by.account_id, at=at
        )
        if not is_right:
            move_award(award, AwardState.HELD, side=Side.MACHINE, by=None, at=at, reason=note)
            tell_moved(get_programme(award.run.programme_id), award, at=at)


@over_the_wall()
def clear(
    run_id: uuid.UUID | str, *, by: Actor, at: datetime, despite: str = ""
) -> tuple[int, int]:
    """After the sample: decide everybody again and clear who has not changed; returns how many
    were cleared and how many are held for a person.

    ``despite``: a supervisor's reason to go on although the sample found something. Raises:
    NotAllowed, SampleOpen.
    """
    check_right(by, MAY_CHECK, "放行")
    if despite.strip():
        check_right(by, MAY_DECIDE, "在抽查发现问题后放行")
    run = AwardRun.objects.get(pk=run_id)
    _check_sample(run, despite)
    waiting = run.awards.filter(state=AwardState.CONFIRMED.value).exclude(is_sampled=None)
    ids = list(waiting.order_by("position").values_list("pk", flat=True))
    cleared = held = 0
    for stretch in batched_ids(ids):
        with transaction.atomic():
            awards = list(
                Award.objects.select_for_update()
                .filter(pk__in=stretch, state=AwardState.CONFIRMED.value)
                .order_by("position")
            )
            good, bad = settle_stretch(run, awards, AwardState.CLEARED, at)
            # With each stretch: after a crash who cleared it, and despite what, is not lost.
            record_run(
                run,
                "award_run.cleared",
                f"account:{by.account_id}",
                at,
                cleared=str(good),
                held=str(bad),
                despite=despite,
            )
            cleared, held = cleared + good, held + bad
    return cleared, held


def settle_stretch(
    run: AwardRun, awards: list[Award], after: AwardState, at: datetime
) -> tuple[int, int]:
    """Who is unchanged moves on, who has changed is held and told; returns both counts."""
    checks = recheck(run, awards)
    good = [check.award for check in checks if not check.why]
    move_many(good, after, side=Side.MACHINE, by=None, at=at)
    programme = get_programme(run.programme_id)
    bad = [check for check in checks if check.why]
    for check in bad:
        move_award(
            check.award, AwardState.HELD, side=Side.MACHINE, by=None, at=at, reason=check.why
        )
        tell_moved(programme, check.award, at=at)
    return len(good), len(bad)


def decide_held(
    award_id: uuid.UUID | str,
    *,
    give: bool,
    reason: str,
    article: str,
    by: Actor,
    at: datetime,
) -> None:
    """A named person decides about a held award: back to where the trader confirms, or ended, with
    reason and article. Raises: NotAllowed, IllegalMove."""
    check_right(by, MAY_CHECK, "决定")
    with transaction.atomic():
        award = in_reach(award_id, by)
        after = AwardState.ENTITLED if give else AwardState.ENDED
        move_award(award, after, side=Side.PERSON, by=by, at=at, reason=reason, article=article)
        tell_moved(get_programme(award.run.programme_id), award, at=at)


def batched_ids(ids: list[uuid.UUID]) -> list[list[uuid.UUID]]:
    return [list(ids[i : i + STRETCH]) for i in range(0, len(ids), STRETCH)]


def _check_sample(run: AwardRun, despite: str) -> None:
    sampled = run.awards.filter(is_sampled=True)
    if not sampled.exists():
        raise SampleOpen("还没有抽样。处理办法：先抽样，查完再放行。")
    unchecked = sampled.filter(state=AwardState.CONFIRMED.value, check_made=None).count()
    if unchecked:
        raise SampleOpen(f"抽查名单里还有 {unchecked} 笔没有查。处理办法：查完再放行。")
    wrong = sampled.filter(check_made__is_right=False).count()
    if wrong and not despite.strip():
        raise SampleOpen(
            f"抽查发现 {wrong} 笔有问题，整批停下。处理办法：找出原因；仍要放行的，由负责人写明理由。"
        )
