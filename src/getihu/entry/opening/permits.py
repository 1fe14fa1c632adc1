"""Which permits a business takes: the rules decide, the catalogue says what each answer means."""

from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import yaml

from getihu.cases.selectors import term_text
from getihu.rulebook import selectors as rulebook
from getihu.rulebook.contracts import Question

_FILE: Final = Path(__file__).parent / "permits.yaml"
# From nothing to do to closed; what is not known yet stands beside them.
VERDICTS: Final = {
    "open": "不用办",
    "filing": "备案或登记",
    "promise": "告知承诺",
    "permit": "要许可",
    "unknown": "还不能判断",
}


@dataclass(frozen=True)
class PermitAnswer:
    """What one rule says of a business. ``verdict``: a key of VERDICTS. ``title`` is the permit's
    name. Empty texts: no source was read. ``facts`` are the answers it rests on."""

    rule_id: str
    verdict: str
    verdict_label: str
    title: str
    reason: str
    agency: str
    article: str
    valid: str
    fee: str
    term: str
    note: str


@dataclass(frozen=True)
class OpeningAnswer:
    """Everything a business takes. ``question`` None: nothing more to ask. ``is_covered`` False:
    the catalogue asks nothing about this trade, so silence is no leave."""

    permits: tuple[PermitAnswer, ...]
    question: Question | None
    is_covered: bool

    @property
    def verdict(self) -> str:
        """The heaviest of all: a permit outweighs a filing; unknown while anything is open."""
        found = [each.verdict for each in self.permits]
        if not found or "unknown" in found:
            return "unknown"
        return max(found, key=list(VERDICTS).index)


@lru_cache
def catalogue() -> tuple[dict[str, Any], ...]:
    """The entries of permits.yaml, in the order they are asked."""
    return tuple(yaml.safe_load(_FILE.read_text("utf-8")))


def answer_opening(
    industry_code: str, county_code: str, written: dict[str, str], on: date
) -> OpeningAnswer:
    """What a business of a class in a county takes, by the answers given so far.

    ``written``: fact → what was answered; empty text: not known. Raises: UnknownAnswer,
    InvalidInput (not a value of the fact).
    """
    permits: list[PermitAnswer] = []
    question: Question | None = None
    entries = [each for each in catalogue() if _asks(each, industry_code)]
    for entry in entries:
        rule_id = str(entry["rule"])
        rule = rulebook.get_rule(rule_id, on)
        own = {each.name for each in rule.inputs}
        facts: dict[str, Any] = {
            "county_code": county_code,
            "subject_kind": "individual",
            **_told(entry, industry_code),
            **rulebook.read_answers(rule_id, {k: v for k, v in written.items() if k in own}),
        }
        decision = rulebook.decide_facts(rule_id, facts, on)
        permits.append(_permit(entry, decision))
        if question is None and decision.outcome == "unknown":
            asked = rulebook.ask_facts(rule_id, facts, on)
            question = next((q for q in asked if q.fact in own and q.fact not in written), None)
    return OpeningAnswer(tuple(permits), question, bool(entries))


def _asks(entry: dict[str, Any], industry_code: str) -> bool:
    return any(industry_code.startswith(prefix) for prefix in entry["trades"])


def _told(entry: dict[str, Any], industry_code: str) -> dict[str, Any]:
    """What the trade itself answers; the longer prefix says more."""
    found: dict[str, Any] = {}
    for prefix, facts in sorted(entry.get("told", {}).items(), key=lambda pair: len(pair[0])):
        if industry_code.startswith(prefix):
            found |= facts
    return found


def _permit(entry: dict[str, Any], decision: Any) -> PermitAnswer:
    meant = entry["answers"].get(decision.outcome, {})
    verdict = str(meant.get("verdict", "unknown"))
    term = str(meant.get("term", ""))
    return PermitAnswer(
        rule_id=decision.rule_id,
        verdict=verdict,
        verdict_label=VERDICTS[verdict],
        title=decision.outcome_label if verdict != "unknown" else decision.title,
        reason=decision.reason,
        agency=str(entry["agency"]),
        article=f"{decision.source.title} {decision.source.article}",
        valid=str(meant.get("valid", "")),
        fee=str(meant.get("fee", "")),
        term=term_text(term) if term else "",
        note=str(meant.get("note", "")),
    )
