"""Putting a datum right: an objection is a case of the department it came from; what it agrees to
comes with its next delivery and is decided anew."""

import hashlib
import uuid
from datetime import datetime
from typing import Final

from django.db import transaction

from getihu.access.services import over_the_wall
from getihu.accounts.contracts import Actor
from getihu.accounts.selectors import list_operators
from getihu.cases import services as cases
from getihu.cases.ports import CaseFile
from getihu.dataplane import selectors as dataplane
from getihu.dataplane.contracts import FactValue
from getihu.growth.models import HumanProfile, Objection
from getihu.growth.selectors.profile import may_change
from getihu.kernel.errors import GetihuError
from getihu.notifications import services as notifications
from getihu.notifications.contracts import Channel, NoticeRequest
from getihu.rulebook import services as decisions
from getihu.rulebook.contracts import FactUsed
from getihu.rulebook.selectors import TYPE_RULE_ID, show_facts

OBJECTION: Final = "growth.objection_"
HUMAN: Final = "growth.human_profile"
CHANNELS = (Channel.IN_APP, Channel.SMS, Channel.EMAIL)


class NotContestable(GetihuError):
    """There is no such datum of hers, or it is contested already."""


@transaction.atomic
def object_to_fact(
    trader_code: str, fact: str, *, claimed: str, why: str, place: str, by: Actor, at: datetime
) -> uuid.UUID:
    """The operator says a datum is wrong: opens the case at its department and hands it in.
    ``place``: town, else county. Raises: NotContestable, NotAllowed, NoOwner, UnknownTrader."""
    declared = dataplane.fact_catalogue().get(fact)
    if declared is None or not may_change(trader_code, fact):
        raise NotContestable("没有这项数据，或者已经提过、正在核实。处理办法：在画像里看进度。")
    used = _fact_of(trader_code, fact)
    case = cases.open_draft(OBJECTION + declared.department, trader_code, place=place, by=by, at=at)
    form = {"fact": declared.label, "shown": used.shown, "claimed": claimed, "why": why}
    cases.save_draft(case, {k: v for k, v in form.items() if v}, by=by)
    cases.submit(case, by=by, at=at)
    return case


class ObjectionKeeper:
    """Marks a datum contested with the case that is handed in, and notes how the case ends."""

    def before_submission(self, case: CaseFile, *, by: Actor, at: datetime) -> None:
        if not case.matter_id.startswith(OBJECTION):
            return
        if Objection.objects.filter(case=case.case_id).exists():
            return
        fact = _named(str(case.form.get("fact", "")), case.matter_id.removeprefix(OBJECTION))
        if fact is None or not may_change(case.trader_code, fact):
            raise NotContestable(
                "没有这项数据，或者正在核实。处理办法：从“我的画像”里点那一项的“不对”。"
            )
        _contest(case, fact, at)

    @over_the_wall()
    def granted(self, case: CaseFile, *, by: Actor, at: datetime) -> None:
        if case.matter_id == HUMAN:
            _decided_by_a_person(case, by, at)
        Objection.objects.filter(case=case.case_id, state=Objection.State.OPEN).update(
            state=Objection.State.PROMISED, decided_at=at
        )

    @over_the_wall()
    def ended(self, case: CaseFile, state: str, *, at: datetime) -> None:
        """It was refused, not accepted or withdrawn."""
        if state in ("granted", "discarded"):
            return
        left = state == "withdrawn"
        Objection.objects.filter(case=case.case_id, ended_at=None).update(
            state=Objection.State.WITHDRAWN if left else Objection.State.REFUSED,
            decided_at=None if left else at,
            ended_at=at,
        )


def follow_corrections(at: datetime) -> int:
    """Look whether what departments promised has come with the data published now; decide anew and
    tell her. By level, safe to run again. Returns how many were corrected."""
    waiting = list(Objection.objects.filter(state=Objection.State.PROMISED))
    return sum(_follow(row, at) for row in waiting)


@transaction.atomic
def end_human_profile(trader_code: str, *, by: Actor, at: datetime) -> None:
    """The operator takes back that a person decides in the machine's place. Raises NotContestable."""
    if trader_code not in by.own:
        raise NotContestable("只有经营者本人可以撤回。处理办法：请经营者本人登录。")
    HumanProfile.objects.filter(trader_code=trader_code, ended_at=None).update(ended_at=at)


def _follow(row: Objection, at: datetime) -> bool:
    published = dataplane.get_published_snapshot()
    if published.snapshot_id == row.snapshot_id:
        return False
    trader = dataplane.get_trader_facts(
        row.trader_code, published.data_until, published.snapshot_id
    )
    if _digest(trader.values[row.fact]) == row.value_digest:
        return False
    after = decisions.issue_slip(
        row.trader_code,
        TYPE_RULE_ID,
        as_of=published.data_until,
        snapshot_id=published.snapshot_id,
        actor="job:corrections",
        at=at,
    )
    shown = next(f.shown for f in show_facts(trader) if f.name == row.fact)
    with transaction.atomic():
        done = Objection.objects.filter(pk=row.pk, state=Objection.State.PROMISED).update(
            state=Objection.State.CORRECTED,
            ended_at=at,
            shown_after=shown,
            snapshot_after=published.snapshot_id,
            slip_after=after.content,
        )
        if done:
            _tell(row, at)
    return bool(done)


def _tell(row: Objection, at: datetime) -> None:
    label = dataplane.fact_catalogue()[row.fact].label
    for account in list_operators([row.trader_code]).get(row.trader_code, ()):
        notifications.queue(
            NoticeRequest(
                obligation=f"objection:{row.case}",
                stage="corrected",
                recipient=account,
                template_id="profile.corrected",
                values={"fact": label},
                channels=CHANNELS,
            ),
            at=at,
        )


def _contest(case: CaseFile, fact: str, at: datetime) -> None:
    published = dataplane.get_published_snapshot()
    trader = dataplane.get_trader_facts(
        case.trader_code, published.data_until, published.snapshot_id
    )
    slip = decisions.issue_slip(
        case.trader_code,
        TYPE_RULE_ID,
        as_of=published.data_until,
        snapshot_id=published.snapshot_id,
        actor=f"case:{case.number}",
        at=at,
    )
    used = next(each for each in show_facts(trader) if each.name == fact)
    Objection.objects.create(
        case=case.case_id,
        trader_code=case.trader_code,
        department=used.department,
        dataset=used.dataset,
        fact=fact,
        shown=used.shown,
        value_digest=_digest(trader.values[fact]),
        snapshot_id=published.snapshot_id,
        as_of=published.data_until,
        opened_at=at,
        slip=slip.content,
        slip_sha256=slip.sha256,
    )


def _decided_by_a_person(case: CaseFile, by: Actor, at: datetime) -> None:
    HumanProfile.objects.filter(trader_code=case.trader_code, ended_at=None).update(ended_at=at)
    HumanProfile.objects.create(
        case=case.case_id,
        trader_code=case.trader_code,
        outcome="已经由工作人员判定，理由见办件",
        decided_at=at,
    )


def _named(text: str, department: str) -> str | None:
    """The fact of a department that somebody means by its label or its name."""
    for name, declared in dataplane.fact_catalogue().items():
        if declared.department == department and text in (declared.label, name):
            return name
    return None


def _fact_of(trader_code: str, fact: str) -> FactUsed:
    published = dataplane.get_published_snapshot()
    trader = dataplane.get_trader_facts(trader_code, published.data_until, published.snapshot_id)
    return next(each for each in show_facts(trader) if each.name == fact)


def _digest(fact: FactValue) -> str:
    return hashlib.sha256(repr((fact.name, fact.value)).encode()).hexdigest()
