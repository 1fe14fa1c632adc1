"""Corrections after payment, decided again: what is lacking is paid as an award of its own, what was
too much comes back only by people."""

import uuid
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import ROUND_DOWN, Decimal

from django.db import transaction

from getihu.accounts.contracts import Actor, Role
from getihu.accounts.selectors import list_operators
from getihu.audit import services as audit
from getihu.audit.contracts import AuditEvent
from getihu.dataplane import selectors as dataplane
from getihu.kernel.errors import GetihuError
from getihu.kernel.periods import add_months
from getihu.notifications import services as notifications
from getihu.notifications.contracts import NoticeRequest
from getihu.policies.contracts import yuan_of
from getihu.policies.machine import PAID_OUT, AwardState, Side
from getihu.policies.models import Adjustment, Award, AwardRun, Budget, Instalment, LedgerEntry
from getihu.policies.programmes import get_programme
from getihu.policies.selectors.awards import given_cents, visible_awards
from getihu.policies.services.allotting import CITY_TIME, award_id
from getihu.policies.services.checking import batched_ids
from getihu.policies.services.moves import move_total, note_moves
from getihu.policies.services.rechecking import decide_again, recheck
from getihu.policies.services.rights import NotNow, check_right
from getihu.policies.services.telling import CHANNELS, tell_entitled

MAY_DECIDE = frozenset({Role.SUPERVISOR})
OPEN, PROPOSED, LEFT, CLAIMED, SETTLED = "open", "proposed", "left", "claimed", "settled"
TOPPING, TOPPED = "topping", "topped"


class BadClaim(GetihuError):
    """This claim cannot be made as it is."""


def look_for_corrections(run_id: uuid.UUID | str, *, at: datetime) -> int:
    """Decide every paid award of a run again on the newest data; opens an adjustment for each that
    should be another amount now. Returns how many are new; nothing is paid or claimed."""
    run = AwardRun.objects.get(pk=run_id)
    paid = run.awards.filter(state__in=[state.value for state in PAID_OUT], adjustment=None)
    ids = list(paid.order_by("position").values_list("pk", flat=True))
    opened = 0
    for stretch in batched_ids(ids):
        with transaction.atomic():
            awards = list(Award.objects.select_for_update().filter(pk__in=stretch))
            opened += _open(run, awards, at)
    return opened


def work_corrections(at: datetime) -> int:
    """``look_for_corrections`` of every run with money in accounts, once for each newly published
    snapshot; returns how many corrections are new. Stopped, the next call goes on. Raises
    NothingPublished."""
    snapshot = dataplane.get_published_snapshot().snapshot_id
    runs = AwardRun.objects.filter(
        is_dry=False, awards__state__in=[state.value for state in PAID_OUT]
    ).exclude(corrected_snapshot=snapshot)
    opened = 0
    for pk in list(runs.exclude(snapshot_id=snapshot).values_list("pk", flat=True).distinct()):
        opened += look_for_corrections(pk, at=at)
        AwardRun.objects.filter(pk=pk).update(corrected_snapshot=snapshot)
    return opened


def _open(run: AwardRun, awards: Sequence[Award], at: datetime) -> int:
    opened = 0
    given = given_cents(awards)
    for check in recheck(run, awards):
        award = check.award
        if check.cents == given[award.pk]:
            continue  # that the shop has closed since takes nothing back
        slip = decide_again(run, award, check.snapshot_id)
        sha256 = slip.sha256 if slip else ""
        if award.adjustments.filter(slip_sha256=sha256).exists() or (
            award.adjustments.filter(state=OPEN).exists()
        ):
            continue
        row = Adjustment.objects.create(
            award=award,
            snapshot_id=check.snapshot_id,
            should_cents=check.cents,
            slip_sha256=sha256,
            slip=slip.content if slip else b"",
            state=OPEN,
            opened_at=at,
        )
        _record(row, "adjustment.opened", "job:awards", at)
        opened += 1
    return opened


def leave(adjustment_id: int, *, reason: str, by: Actor, at: datetime) -> None:
    """A named person decides that nothing is asked back. Raises: NotAllowed, NotNow."""
    check_right(by, MAY_DECIDE, "决定更正")
    with transaction.atomic():
        row = _locked(adjustment_id, OPEN, by)
        if not reason.strip():
            raise NotNow("要写明理由。")
        row.state, row.reason = LEFT, reason[:500]
        row.decided_by_id, row.decided_at = by.account_id, at
        row.save()
        _record(row, "adjustment.left", f"account:{by.account_id}", at)


def claim(
    adjustment_id: int,
    *,
    yuan: Decimal,
    parts: Sequence[tuple[date, Decimal]],
    reason: str,
    article: str,
    by: Actor,
    at: datetime,
) -> str:
    """A named person asks money back, in parts with their days; returns the state. Above the
    programme's limit a second person must agree before it holds.

    Raises: NotAllowed, NotNow, BadClaim (more than was too much, parts that do not add up, no
    reason or article).
    """
    check_right(by, MAY_DECIDE, "要求退回")
    with transaction.atomic():
        row = _locked(adjustment_id, OPEN, by)
        cents = int(yuan.scaleb(2))
        _check_claim(row, cents, parts, reason, article)
        limit = get_programme(row.award.run.programme_id).second_person_above
        row.state = PROPOSED if yuan > limit.yuan else CLAIMED
        row.reason, row.article, row.claim_cents = reason[:500], article[:200], cents
        row.decided_by_id, row.decided_at = by.account_id, at
        row.save()
        Instalment.objects.bulk_create(
            Instalment(adjustment=row, number=n, due_on=day, cents=int(part.scaleb(2)))
            for n, (day, part) in enumerate(parts, 1)
        )
        _record(row, f"adjustment.{row.state}", f"account:{by.account_id}", at)
        if row.state == CLAIMED:
            _tell(row, at)
    return row.state


def top_up(adjustment_id: int, *, reason: str, article: str, by: Actor, at: datetime) -> Award:
    """A named person has paid what a correction shows is lacking: an award of its own, once per
    correction, that its trader confirms and two people release like any other. It rests on the
    slip of the correction, and waits for its turn where the budget is used up.

    Raises: NotAllowed, NotNow (nothing is lacking, or how much is not known; no reason or article).
    """
    check_right(by, MAY_DECIDE, "决定补发")
    with transaction.atomic():
        row = _locked(adjustment_id, OPEN, by)
        if not (reason.strip() and article.strip()):
            raise NotNow("补发要写明理由和依据的条款。")
        if row.should_cents is None:
            raise NotNow("现在缺数据，不知道少付了多少。处理办法：等数据到了再看。")
        base = Award.objects.select_for_update().get(pk=row.award_id)
        lacking = row.should_cents - given_cents([base])[base.pk]
        if lacking <= 0:
            raise NotNow("没有少付，不用补发。")
        row.state, row.reason, row.article = TOPPING, reason[:500], article[:200]
        row.decided_by_id, row.decided_at = by.account_id, at
        row.save()
        made = _award_of(row, base, lacking, at)
        _record(row, "adjustment.topping", f"account:{by.account_id}", at)
    return made


def _award_of(row: Adjustment, base: Award, cents: int, at: datetime) -> Award:
    """The award a correction gives, with its money set aside or its place in the queue."""
    programme = get_programme(base.run.programme_id)
    budget = Budget.objects.select_for_update().get(pk=base.budget_id)
    queued = Award.objects.filter(budget=budget, state=AwardState.WAITING.value).exists()
    fits = not queued and cents <= budget.left_cents
    made = Award.objects.create(
        id=award_id(base.family, base.subject, f"{base.period}|{row.pk}"),
        run=base.run,
        budget=budget,
        family=base.family,
        subject=base.subject,
        period=base.period,
        trader_code=base.trader_code,
        division=base.division,
        position=base.position,
        cents=cents,
        state=(AwardState.ENTITLED if fits else AwardState.WAITING).value,
        slip_sha256=row.slip_sha256,
        slip=row.slip,
        confirm_until=at.astimezone(CITY_TIME).date() + timedelta(programme.confirm_within.days),
        entitled_at=at,
        adjustment=row,
        case_id=None,
    )
    if fits:
        move_total(budget.pk, "left", "reserved", cents)
        LedgerEntry.objects.create(
            budget=budget, award=made, source="left", target="reserved", cents=cents, at=at
        )
    note_moves([made], "", side=Side.MACHINE, by=None, at=at)
    if fits:
        tell_entitled(programme, [made], at=at)
    return made


def settle_top_up(award: Award, at: datetime) -> None:
    """A top-up has reached the account and was reconciled: the correction is at an end."""
    if award.adjustment_id is None:
        return
    row = Adjustment.objects.get(pk=award.adjustment_id)
    row.state = TOPPED
    row.save(update_fields=["state"])
    _record(row, "adjustment.topped", "job:payments", at)


def monthly_parts(yuan: Decimal, count: int, first: date) -> list[tuple[date, Decimal]]:
    """Equal parts, a month apart; what does not divide is in the first."""
    part = (yuan / count).quantize(Decimal("0.01"), ROUND_DOWN)
    sums = [yuan - part * (count - 1), *[part] * (count - 1)]
    return [(add_months(first, n), each) for n, each in enumerate(sums)]


def agree(adjustment_id: int, *, by: Actor, at: datetime) -> None:
    """The second person agrees to a claim above the limit. Raises: NotAllowed, NotNow."""
    check_right(by, MAY_DECIDE, "同意退回")
    with transaction.atomic():
        row = _locked(adjustment_id, PROPOSED, by)
        if str(row.decided_by_id) == by.account_id:
            raise NotNow("提出的人不能自己同意。处理办法：请另一位负责人看。")
        row.state, row.second_by_id, row.second_at = CLAIMED, by.account_id, at
        row.save()
        _record(row, "adjustment.claimed", f"account:{by.account_id}", at)
        _tell(row, at)


def receive(adjustment_id: int, number: int, *, on: date, by: Actor, at: datetime) -> None:
    """Note that a part came back; the last one settles the claim. Raises: NotAllowed, NotNow."""
    check_right(by, MAY_DECIDE | {Role.FINANCE_OFFICER}, "登记退款")
    with transaction.atomic():
        row = _locked(adjustment_id, CLAIMED, by)
        part = row.instalments.filter(number=number, received_on=None).first()
        if part is None:
            raise NotNow("没有这一期，或者已经登记。")
        part.received_on = on
        part.save(update_fields=["received_on"])
        if not row.instalments.filter(received_on=None).exists():
            row.state = SETTLED
            row.save(update_fields=["state"])
        _record(row, "adjustment.received", f"account:{by.account_id}", at)


def _locked(adjustment_id: int, state: str, by: Actor) -> Adjustment:
    rows = Adjustment.objects.select_for_update().filter(award__in=visible_awards(by))
    row = rows.filter(pk=adjustment_id).first()
    if row is None or row.state != state:
        raise NotNow("这件更正不在这一步。处理办法：刷新页面。")
    return row


def _check_claim(
    row: Adjustment,
    cents: int,
    parts: Sequence[tuple[date, Decimal]],
    reason: str,
    article: str,
) -> None:
    if not (reason.strip() and article.strip()):
        raise BadClaim("要求退回要写明理由和依据的条款。")
    if row.should_cents is None:
        raise BadClaim("现在缺数据，不知道多付了多少，不能要求退回。")
    if not 0 < cents <= given_cents([row.award])[row.award_id] - row.should_cents:
        raise BadClaim("要求退回的不能超过多付的。")
    if sum(int(part.scaleb(2)) for _, part in parts) != cents or any(p <= 0 for _, p in parts):
        raise BadClaim("各期加起来和要求退回的不一样。")


def _tell(row: Adjustment, at: datetime) -> None:
    award = row.award
    first = row.instalments.order_by("number")[0]
    for account in list_operators([award.trader_code]).get(award.trader_code, ()):
        notifications.queue(
            NoticeRequest(
                obligation=f"adjustment:{row.pk}",
                stage="claimed",
                recipient=account,
                template_id="award.claimed",
                values={
                    "policy": get_programme(award.run.programme_id).title,
                    "yuan": f"{yuan_of(row.claim_cents):,.2f}",
                    "until": first.due_on.isoformat(),
                },
                channels=CHANNELS,
            ),
            at=at,
        )


def _record(row: Adjustment, kind: str, actor: str, at: datetime) -> None:
    body = {
        "award": str(row.award_id),
        "paid_cents": row.award.cents,
        "should_cents": row.should_cents,
        "claim_cents": row.claim_cents,
        "slip_sha256": row.slip_sha256,
        "article": row.article,
    }
    audit.record(AuditEvent(kind, actor, f"adjustment:{row.pk}", at, body))
