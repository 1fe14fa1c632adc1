"""What a business takes at a place: the rules decide, the catalogue says what each answer means."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import yaml

from getihu.cases.selectors import term_text
from getihu.entry.opening.market_entry import Duty, MarketEntry, duties_of, market_entries
from getihu.entry.opening.verdicts import UNKNOWN, VERDICTS, Verdict, join, verdict_of
from getihu.kernel.errors import InvalidInput, Problem
from getihu.reference import selectors as reference
from getihu.rulebook import selectors as rulebook
from getihu.rulebook.contracts import Question

_FILE: Final = Path(__file__).parent / "permits.yaml"
# When a document is asked for, in the order they come.
STEPS: Final = {"before": "领执照以前", "with": "和执照一起", "after": "领执照以后、开业以前"}
_NOT_KNOWN: Final = "不知道"


@dataclass(frozen=True)
class PermitAnswer:
    """What one rule says of a business. ``level``: a key of VERDICTS. ``title`` is the permit's
    name, ``agency`` the office the address leads to. Empty texts: no source was read.
    ``depends``: what it rests on, in words: (what is asked, what was answered, which article).
    ``trades`` are the names of the trades it is for; ``step`` a key of STEPS, empty for nothing
    to ask for."""

    rule_id: str
    level: str
    verdict: Verdict
    verdict_label: str
    title: str
    reason: str
    agency: str
    article: str
    valid: str
    fee: str
    term: str
    note: str
    step: str
    depends: tuple[tuple[str, str, str], ...]
    trades: tuple[str, ...]


@dataclass(frozen=True)
class OpeningAnswer:
    """Everything a business takes. ``question`` None: nothing more to ask. ``is_covered`` False:
    the catalogue asks nothing about one of the trades, so silence is no leave."""

    entries: tuple[MarketEntry, ...]
    permits: tuple[PermitAnswer, ...]
    duties: tuple[Duty, ...]
    question: Question | None
    is_covered: bool
    registrar: str

    @property
    def verdict(self) -> Verdict:
        """The strictest of all: of the trades, and of what each of them takes."""
        found = [*(e.verdict for e in self.entries), *(p.verdict for p in self.permits)]
        return join(found if self.is_covered else [*found, verdict_of(UNKNOWN)])

    @property
    def is_mixed(self) -> bool:
        """Food of two kinds in one shop: the office settles which one it is by the highest risk
        (三小一摊规定 第二条第六款)."""
        return sum(p.rule_id == "entry.open_food" and p.level != "open" for p in self.permits) > 1


@lru_cache
def catalogue() -> tuple[dict[str, Any], ...]:
    """The entries of permits.yaml, in the order they are asked."""
    return tuple(yaml.safe_load(_FILE.read_text("utf-8")))


def answer_opening(
    industry_codes: Sequence[str], place_code: str, written: Mapping[str, str], on: date
) -> OpeningAnswer:
    """What a business of one or several trades takes at a place, by the answers given so far.

    ``place_code``: town or county; ``written``: fact → what was answered, empty: not known.
    Raises: UnknownAnswer, InvalidInput (not a value of the fact, or a size below zero).
    """
    _check_sizes(written)
    entries = tuple(e for code in industry_codes for e in market_entries(code))
    found: dict[tuple[str, str], PermitAnswer] = {}
    question: Question | None = None
    covered = set()
    for entry in catalogue():
        for code in industry_codes:
            if not _asks(entry, code):
                continue
            covered.add(code)
            permit, asked = _answer(entry, code, place_code, written, on)
            same = found.get(key := (permit.rule_id, permit.title))
            found[key] = _merged(same, permit) if same else permit
            question = question or asked
    closed = {each.industry_code for each in entries if each.verdict.at_least == "closed"}
    return OpeningAnswer(
        entries,
        tuple(found.values()),
        tuple(duties_of(tuple(industry_codes))),
        question,
        set(industry_codes) <= covered | closed,
        reference.agencies_over(place_code).get("amr", "县级市场监督管理局"),
    )


def _answer(
    entry: dict[str, Any], industry_code: str, place_code: str, written: Mapping[str, str], on: date
) -> tuple[PermitAnswer, Question | None]:
    rule_id = str(entry["rule"])
    rule = rulebook.get_rule(rule_id, on)
    own = {each.name for each in rule.inputs}
    told = _told(entry, industry_code)
    answers = {k: v for k, v in written.items() if k in own and k not in told}
    facts: dict[str, Any] = {
        "county_code": place_code[:6],
        "subject_kind": "individual",
        **told,
        **rulebook.read_answers(rule_id, answers),
    }
    decision = rulebook.decide_facts(rule_id, facts, on)
    asked = None
    if decision.outcome == UNKNOWN:
        questions = rulebook.ask_facts(rule_id, facts, on)
        asked = next((q for q in questions if q.fact in own and q.fact not in written), None)
    return _permit(entry, decision, place_code, industry_code), asked


def _asks(entry: dict[str, Any], industry_code: str) -> bool:
    skipped = industry_code.startswith(tuple(entry.get("skip", ())) or ("-",))
    return industry_code.startswith(tuple(entry["trades"])) and not skipped


def _told(entry: dict[str, Any], industry_code: str) -> dict[str, Any]:
    """What the trade itself answers; the longer prefix says more, and null asks after all."""
    found: dict[str, Any] = {}
    for prefix, facts in sorted(entry.get("told", {}).items(), key=lambda pair: len(pair[0])):
        if industry_code.startswith(prefix):
            found |= facts
    return {name: value for name, value in found.items() if value is not None}


def _permit(
    entry: dict[str, Any], decision: Any, place_code: str, industry_code: str
) -> PermitAnswer:
    meant = entry["answers"].get(decision.outcome, {})
    level = str(meant.get("verdict", UNKNOWN))
    verdict = verdict_of(level)
    if meant.get("open"):
        verdict = Verdict(verdict.at_least, False)
    term = str(meant.get("term", ""))
    industry = reference.get_industry(industry_code)
    return PermitAnswer(
        rule_id=decision.rule_id,
        level=level,
        verdict=verdict,
        verdict_label=VERDICTS[level],
        title=decision.outcome_label if level != UNKNOWN else decision.title,
        reason=decision.reason,
        agency=_agency(entry, place_code),
        article=f"{decision.source.title} {decision.source.article}",
        valid=str(meant.get("valid", "")),
        fee=str(meant.get("fee", "")),
        term=term_text(term) if "." in term else term,
        note=str(meant.get("note", "")),
        step=str(meant.get("when", "after")) if level in ("filing", "promise", "permit") else "",
        depends=_depends(decision),
        trades=(industry.name if industry else industry_code,),
    )


def _agency(entry: dict[str, Any], place_code: str) -> str:
    """The office the address leads to."""
    if "department" in entry:
        return reference.agencies_over(place_code)[entry["department"]]
    town = reference.get_town(place_code)
    county = reference.division_name(place_code[:6]) or ""
    return str(entry["agency"]).format(county=county, town=town.name if town else county)


def _depends(decision: Any) -> tuple[tuple[str, str, str], ...]:
    """The clauses that settled it, or wait for an answer: what, how it stands, by which article."""
    words = {"yes": "是", "no": "不是", "unknown": _NOT_KNOWN}
    wanted = decision.deciding or [c.id for c in decision.clauses if c.result == UNKNOWN]
    return tuple(
        (
            clause.label,
            "；".join(fact.shown for fact in clause.facts if fact.value is not None)
            or words[clause.result],
            clause.article,
        )
        for clause in decision.clauses
        if clause.id in wanted
    )


def _merged(one: PermitAnswer, other: PermitAnswer) -> PermitAnswer:
    trades = tuple(dict.fromkeys((*one.trades, *other.trades)))
    return PermitAnswer(
        **{**vars(one), "trades": trades, "verdict": join([one.verdict, other.verdict])}
    )


def _check_sizes(written: Mapping[str, str]) -> None:
    """An area or a number of people is above zero: a typing slip would decide the wrong permit."""
    for name, value in written.items():
        if not name.endswith("_m2") or not _is_number(value):
            continue
        if not 0 < float(value) <= LARGEST_M2:
            what = "面积要大于0" if float(value) <= 0 else "面积太大了"
            raise InvalidInput([Problem(what, field=name, fix="写平方米数，比如 38.5。")])


def _is_number(value: str) -> bool:
    return value.strip().lstrip("-").replace(".", "", 1).isdecimal()


LARGEST_M2: Final = 1_000_000  # 本项目设定，非官方
