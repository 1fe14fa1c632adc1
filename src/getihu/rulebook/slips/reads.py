"""Slips on published facts: what of today they are compared with."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import date, datetime

from django.db import transaction

from getihu.audit import selectors as audited
from getihu.audit import services as audit
from getihu.audit.contracts import AuditEvent
from getihu.dataplane import selectors as dataplane
from getihu.dataplane.contracts import TraderFacts
from getihu.kernel.errors import GetihuError
from getihu.rulebook.advise.reads import Answers, check_answers
from getihu.rulebook.contracts import ReplayResult, Slip, SlipToday
from getihu.rulebook.model.rules import Rule
from getihu.rulebook.slips import slips
from getihu.rulebook.slips.record import Plain

Ground = Callable[[str, str, date | None, str | None], tuple[Rule, TraderFacts]]


def issue(rule: Rule, trader: TraderFacts, answers: Answers) -> Slip:
    """The slip of one decision. Raises UnknownAnswer, RuleChangedMeanwhile."""
    check_answers([rule], answers)
    return slips.issue(rule, trader, dataplane.fact_catalogue(), answers)


def issue_many(rule: Rule, traders: Iterable[TraderFacts]) -> Iterator[Slip]:
    """The slips of many decisions of one rule. Raises RuleChangedMeanwhile."""
    return slips.issue_many(rule, traders, dataplane.fact_catalogue())


def tell(slip: Slip, actor: str, at: datetime) -> None:
    """Put the fingerprint of a slip into the audit log, unless it is there."""
    with transaction.atomic():
        if not is_told(slip.sha256):
            body = {"rule": slip.rule_id, "version": slip.rule_version, "sha256": slip.sha256}
            audit.record(AuditEvent("slip.issued", actor, f"slip:{slip.sha256}", at, body))


def is_told(sha256: str) -> bool:
    """Whether the audit log knows a slip of this fingerprint."""
    return bool(audited.list_events_of(f"slip:{sha256}"))


def read(content: bytes) -> Plain:
    """The data of a slip file. Raises NotASlip."""
    return slips.read(content)


def answers_of(raw: Plain, rule: Rule) -> Answers:
    """The answers a slip holds that a version of its rule asks for."""
    return slips.answers_of(raw, rule, dataplane.fact_catalogue())


def replay(content: bytes, ground: Ground) -> ReplayResult:
    """Replays a slip; ``ground`` gives a rule and a trader's facts on a date."""
    raw = slips.read(content)
    done = slips.replay(content, _held(raw), _today(raw, ground))
    return replace(done, is_in_log=is_told(done.slip.sha256))


def _held(raw: Plain) -> TraderFacts | None:
    """The facts of the slip's own snapshot, when they are still there."""
    try:
        as_of = date.fromisoformat(raw["as_of"])
        return dataplane.get_trader_facts(raw["trader_code"], as_of, raw["snapshot_id"])
    except (GetihuError, KeyError, TypeError, ValueError, AttributeError):
        return None


def _today(raw: Plain, ground: Ground) -> SlipToday:
    try:
        rule, trader = ground(raw["trader_code"], raw["rule"]["id"], None, None)
        return slips.compare_today(raw, rule, trader, dataplane.fact_catalogue())
    except (GetihuError, KeyError, TypeError, ValueError, AttributeError) as error:
        told = str(error) if isinstance(error, GetihuError) else "凭据里的内容和今天的目录对不上。"
        return slips.unknown_today(told)
