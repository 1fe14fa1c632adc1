"""Decide awards again on the newest data: before each step money takes, and after it was paid."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from getihu.dataplane import selectors as dataplane
from getihu.dataplane import services as dataplane_services
from getihu.policies.models import Award, AwardRun
from getihu.policies.selectors.awards import given_cents
from getihu.policies.services.planning import decide_city
from getihu.rulebook import selectors as rulebook
from getihu.rulebook import services as rulebook_services
from getihu.rulebook.contracts import Slip

STATUS = "registration_status"
ALIVE = frozenset({"active", "suspended"})
FEW = 20  # as many are decided one by one; more by the sweep
Answer = tuple[str | None, Decimal | None]


@dataclass(frozen=True)
class Recheck:
    """One award decided again. ``why`` is empty when nothing has changed. ``outcome`` None: the
    trader is no longer on the register of that date, or the rule no longer for her."""

    award: Award
    outcome: str | None
    yuan: Decimal | None
    snapshot_id: str
    why: str

    @property
    def cents(self) -> int | None:
        """What it should be now; None when that is unknown, 0 when it is a no."""
        if self.outcome in (None, "unknown"):
            return None
        if self.outcome != "yes":
            return 0
        return None if self.yuan is None else int(self.yuan.scaleb(2))


def recheck(run: AwardRun, awards: Sequence[Award]) -> list[Recheck]:
    """Every award decided again for its own date on the newest data, and whether the shop still
    trades. In the order given. Raises: as ``rulebook.services.issue_slips`` and ``sweep``.
    """
    snapshot = dataplane.get_published_snapshot()
    codes = [award.trader_code for award in awards]
    version = rulebook.get_rule(run.rule_id, run.as_of).version
    if run.by_application:
        answers = _as_granted(run, awards, snapshot.snapshot_id)
    else:
        decide = _one_by_one if len(codes) <= FEW else _by_sweep
        answers = decide(run, codes, version, snapshot.snapshot_id)
    dataplane_services.build_facts(as_of=snapshot.data_until, snapshot_id=snapshot.snapshot_id)
    today = dataplane.list_trader_facts(
        codes, snapshot.data_until, snapshot.snapshot_id, facts=[STATUS]
    )
    status = {trader.trader_code: trader.values[STATUS].value for trader in today}
    totals = given_cents(awards)
    found = []
    for award in awards:
        outcome, yuan = answers.get(award.trader_code, (None, None))
        check = Recheck(award, outcome, yuan, snapshot.snapshot_id, "")
        total = totals[award.pk]
        why = _why(check, total, version != run.rule_version, status.get(award.trader_code))
        found.append(Recheck(award, outcome, yuan, snapshot.snapshot_id, why))
    return found


def decide_again(run: AwardRun, award: Award, snapshot_id: str) -> Slip | None:
    """The slip of an award's question on another snapshot; None when she is not on the register of
    that date. Raises as ``rulebook.services.issue_slips``."""
    if run.by_application:
        try:
            return rulebook_services.issue_again(bytes(award.slip), snapshot_id=snapshot_id)
        except dataplane.UnknownTrader:
            return None
    issued = rulebook_services.issue_slips(
        run.rule_id, [award.trader_code], as_of=run.as_of, snapshot_id=snapshot_id
    )
    return next(issued, None)


def _as_granted(run: AwardRun, awards: Sequence[Award], snapshot_id: str) -> dict[str, Answer]:
    """With the answers each of them gave."""
    dataplane_services.build_facts(as_of=run.as_of, snapshot_id=snapshot_id)
    slips = [decide_again(run, award, snapshot_id) for award in awards]
    return {slip.trader_code: (slip.outcome, slip.amount_yuan) for slip in slips if slip}


def _one_by_one(
    run: AwardRun, codes: Sequence[str], version: str, snapshot_id: str
) -> dict[str, Answer]:
    dataplane_services.build_facts(as_of=run.as_of, snapshot_id=snapshot_id)
    slips = rulebook_services.issue_slips(
        run.rule_id, codes, as_of=run.as_of, snapshot_id=snapshot_id
    )
    return {slip.trader_code: (slip.outcome, slip.amount_yuan) for slip in slips}


def _by_sweep(
    run: AwardRun, codes: Sequence[str], version: str, snapshot_id: str
) -> dict[str, Answer]:
    decide_city(run.rule_id, version, run.as_of, snapshot_id)
    return rulebook.list_decided(run.rule_id, codes, run.as_of, snapshot_id)


def _why(check: Recheck, total: int, is_other_version: bool, status: object) -> str:
    if check.outcome is None:
        return "登记数据里没有这户了，或者规则不再适用"
    if is_other_version:
        return "规则的这一版改过"
    if check.outcome == "unknown":
        return "现在缺数据，判断不了"
    if check.outcome != "yes":
        return "按更正后的数据不符合条件"
    if check.cents != total:
        return "按更正后的数据金额不同"
    if status not in ALIVE:
        return "现在不在营业状态，或者登记状态未知"
    return ""
