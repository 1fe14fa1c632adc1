"""Reads of applications (快享快办): what is known, what is still to be asked, what follows."""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from getihu.accounts.contracts import Actor
from getihu.cases import selectors as cases
from getihu.cases.contracts import CaseView, State
from getihu.dataplane.contracts import FactScalar
from getihu.kernel.errors import GetihuError
from getihu.policies.library.reading import Reading
from getihu.policies.selectors.library import get_reading
from getihu.rulebook import selectors as rulebook
from getihu.rulebook.contracts import Decision, Question, Truth

APPLICATION = "policies.application"
APPLICANT = "申请人"
# What is applied for here. Conversion and entry to a pool have matters of their own, taxes are
# declared at the tax office.
APPLIED_FOR = ("奖励", "补助", "补贴", "贴息")


class NotApplicable(GetihuError):
    """This policy is not applied for here."""


@dataclass(frozen=True)
class Application:
    """One application as it stands. ``question`` None: nothing more to ask her. ``lacking`` names
    departments whose data an officer fetches; she is never asked for them."""

    case: CaseView
    reading: Reading
    written: dict[str, str]
    answers: tuple[tuple[str, str, str], ...]  # fact, label, as she said it
    question: Question | None
    decision: Decision
    lacking: tuple[str, ...]
    can_change: bool


def can_apply(reading: Reading) -> bool:
    """Whether a policy is applied for: in force here, and something only she can say decides."""
    return (
        reading.is_here
        and reading.is_live
        and bool(reading.asked)
        and reading.kind in APPLIED_FOR
        and not reading.judged
    )


def get_application(case_id: uuid.UUID, *, actor: Actor, on: date) -> Application:
    """One application. Raises CaseNotFound, NotApplicable (another matter)."""
    view = cases.get_case(case_id, actor=actor, on=on)
    if view.matter_id != APPLICATION or not actor.may_view(view.trader_code):
        raise cases.CaseNotFound
    rule_id = str(view.form.get("policy", ""))
    written = written_of(view.form)
    return read_application(view, get_reading(rule_id, on), written)


def written_of(form: Mapping[str, object]) -> dict[str, str]:
    """Her answers as she wrote them, by fact; an empty one means she does not know."""
    found: dict[str, str] = json.loads(str(form.get("answers") or "{}"))
    return found


def read_application(view: CaseView, reading: Reading, written: dict[str, str]) -> Application:
    """What an application comes to with some answers. Raises UnknownAnswer, InvalidInput."""
    answers = rulebook.read_answers(reading.id, written)
    decision = rulebook.explain_rule(view.trader_code, reading.id, answers=answers)
    rule = rulebook.get_rule(reading.id)
    labels = {each.name: each.label for each in rule.inputs}
    asked = rulebook.ask_next(view.trader_code, reading.id, answers=answers)
    hers = [each for each in asked if each.who == (APPLICANT,) and each.fact not in written]
    lacking = {each.department_name for each in decision.missing if each.name not in labels}
    return Application(
        case=view,
        reading=reading,
        written=written,
        answers=tuple(
            (name, labels.get(name, name), say(answers[name], written[name])) for name in written
        ),
        question=hers[0] if hers and decision.outcome == Truth.UNKNOWN else None,
        decision=decision,
        lacking=tuple(sorted(lacking)),
        can_change=view.state in (State.DRAFT, State.CORRECTION),
    )


def say(value: FactScalar | None, written: str) -> str:
    """An answer as people read it."""
    if value is None:
        return "不知道"
    if isinstance(value, bool):
        return "是" if value else "否"
    return written
