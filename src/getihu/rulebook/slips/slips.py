"""Issues slips and replays them."""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from getihu.dataplane.contracts import FactDeclaration, TraderFacts
from getihu.kernel.errors import GetihuError
from getihu.rulebook.advise.inputs import with_inputs
from getihu.rulebook.contracts import Decision, ReplayResult, Slip, SlipToday
from getihu.rulebook.explain.canonical import canonical_json, to_plain
from getihu.rulebook.explain.decisions import decide
from getihu.rulebook.model.rules import Rule
from getihu.rulebook.slips import archive
from getihu.rulebook.slips.record import (
    FORMAT,
    Answers,
    Plain,
    archived,
    read_catalogue,
    read_rule_text,
    read_trader,
    read_value,
    record,
    with_answers,
)

_FINGERPRINT = "sha256"
_NAMED = 5  # differing fields listed in a refusal


class NotASlip(GetihuError):
    """The file is no decision slip, or of a format this program does not know."""


class SlipTampered(GetihuError):
    """A slip does not say what was decided. ``fields`` name where."""

    def __init__(self, fields: list[str], told: str) -> None:
        self.fields = fields
        super().__init__(told)


class RuleChangedMeanwhile(GetihuError):
    """The rule's file was edited between reading and issuing."""

    exit_code = 3


def issue(
    rule: Rule, trader: TraderFacts, catalogue: Mapping[str, FactDeclaration], answers: Answers
) -> Slip:
    """The slip of one decision; what it rests on is in the archive when this returns.

    Raises RuleChangedMeanwhile.
    """
    text = Path(rule.file).read_bytes()
    texts = archived(rule, text, catalogue)
    content = _sealed(record(rule, texts, trader, catalogue, answers))
    if _again(json.loads(content)) != content:
        raise RuleChangedMeanwhile(f"{rule.id} 的规则文件刚刚改动过。处理办法：再开一次凭据。")
    return _slip(content)


def issue_many(
    rule: Rule, traders: Iterable[TraderFacts], catalogue: Mapping[str, FactDeclaration]
) -> Iterator[Slip]:
    """``issue`` for many traders: the texts are kept once, and the first slip is decided again.

    Raises RuleChangedMeanwhile.
    """
    texts = archived(rule, Path(rule.file).read_bytes(), catalogue)
    for number, trader in enumerate(traders):
        content = _sealed(record(rule, texts, trader, catalogue, {}))
        if number == 0 and _again(json.loads(content)) != content:
            raise RuleChangedMeanwhile(f"{rule.id} 的规则文件刚刚改动过。处理办法：再开一次凭据。")
        yield _slip(content)


def _sealed(plain: Plain) -> bytes:
    """Canonical bytes with their own fingerprint inside."""
    plain = to_plain(plain)
    return canonical_json({**plain, _FINGERPRINT: archive.fingerprint(canonical_json(plain))})


def _again(slip: Plain) -> bytes:
    """The slip decided once more, from the archive and the facts it holds."""
    catalogue = read_catalogue(archive.find(slip["rule"]["facts_sha256"]))
    rule = read_rule_text(slip, archive.find(slip["rule"]["text_sha256"]), catalogue)
    texts = {name: slip["rule"][name] for name in ("text_sha256", "facts_sha256")}
    trader = read_trader(slip, catalogue)
    return _sealed(record(rule, texts, trader, catalogue, _answers(slip, rule, catalogue)))


def _answers(slip: Plain, rule: Rule, catalogue: Mapping[str, FactDeclaration]) -> Answers:
    declared = with_inputs(rule, catalogue)
    return {
        name: read_value(value, declared[name]) if name in declared else value
        for name, value in slip["answers"].items()
    }


def answers_of(slip: Plain, rule: Rule, catalogue: Mapping[str, FactDeclaration]) -> Answers:
    """What the applicant answered, as far as a rule still asks it."""
    asked = {each.name for each in rule.inputs}
    kept = {name: value for name, value in slip["answers"].items() if name in asked}
    return _answers({**slip, "answers": kept}, rule, catalogue)


def _slip(content: bytes) -> Slip:
    raw = json.loads(content)
    amount = raw["amount_yuan"]
    return Slip(
        trader_code=raw["trader_code"],
        rule_id=raw["rule"]["id"],
        rule_version=raw["rule"]["version"],
        title=raw["rule"]["title"],
        as_of=date.fromisoformat(raw["as_of"]),
        snapshot_id=raw["snapshot_id"],
        outcome=raw["outcome"],
        amount_yuan=None if amount is None else Decimal(amount),
        sha256=raw[_FINGERPRINT],
        content=content,
    )


# replay


def read(content: bytes) -> Plain:
    """The data of a slip file, checked only to be one. Raises NotASlip."""
    try:
        raw = json.loads(content)
        known = isinstance(raw, dict) and raw.get("format") == FORMAT
    except ValueError:
        known = False
    if not known:
        raise NotASlip(f"这不是判定凭据（{FORMAT}）。处理办法：用 getihu slip 开出的文件。")
    wanted = {
        "rule",
        "facts",
        "clauses",
        "outcome",
        "amount_yuan",
        "answers",
        "as_of",
        _FINGERPRINT,
    }
    lacking = sorted(wanted - raw.keys())
    if lacking:
        raise SlipTampered(lacking, f"凭据缺少字段：{'、'.join(lacking)}。它被改动过，不予采信。")
    plain: Plain = raw
    return plain


def replay(content: bytes, snapshot_facts: TraderFacts | None, today: SlipToday) -> ReplayResult:
    """The same bytes, decided again. ``snapshot_facts`` are the facts the snapshot still holds,
    only used to name what was altered.

    Raises: NotASlip, SlipTampered, NotArchived, InvalidInput (an old text no longer reads).
    """
    raw = read(content)
    try:
        again = _again(raw)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _tampered([_where(error)]) from error
    if again == content:
        return ReplayResult(slip=_slip(content), today=today)
    fields = list(_differing(raw, json.loads(again)))
    substance = [name for name in fields if name != _FINGERPRINT]
    if not substance and snapshot_facts is not None:
        substance = list(_altered_facts(raw, snapshot_facts))
    raise _tampered(substance or fields or ["bytes"])


def _where(error: Exception) -> str:
    return f"{error.args[0]}" if isinstance(error, KeyError) and error.args else "facts"


def _tampered(fields: list[str]) -> SlipTampered:
    named = "、".join(fields[:_NAMED])
    more = f"等 {len(fields)} 处" if len(fields) > _NAMED else ""
    if fields == [_FINGERPRINT]:
        told = "凭据的内容和它的指纹（sha256）对不上，事实或来源被改动过。"
    elif fields == ["bytes"]:
        told = "凭据的内容没有变，但文件不是开出时的字节（格式被改写过）。"
    else:
        told = f"凭据被改动过，和重新判定的结果不一致：{named}{more}。"
    return SlipTampered(fields, f"{told}不予采信。处理办法：向开出凭据的部门要原件。")


def _differing(a: Any, b: Any, path: str = "") -> Iterator[str]:
    """Dotted names of the values that are not the same on both sides."""
    if isinstance(a, dict) and isinstance(b, dict):
        for key in sorted(a.keys() | b.keys()):
            yield from _differing(a.get(key), b.get(key), f"{path}.{key}" if path else key)
    elif a != b or type(a) is not type(b):
        yield path


def _altered_facts(raw: Plain, held: TraderFacts) -> Iterator[str]:
    """Facts of the slip that are not what its snapshot holds."""
    for name, said in raw["facts"].items():
        value = held.values.get(name)
        now = json.loads(canonical_json(value.value if value else None))
        if said["value"] != now:
            yield f"facts.{name}.value"


# today


def compare_today(
    raw: Plain,
    rule: Rule,
    trader: TraderFacts,
    catalogue: Mapping[str, FactDeclaration],
) -> SlipToday:
    """What today's rule says on today's facts, beside what the slip says."""
    answers = _answers(raw, rule, catalogue)
    decision: Decision = decide(rule, with_answers(trader, answers, catalogue), catalogue)
    amount = raw["amount_yuan"]
    moved = tuple(
        name
        for name, said in raw["facts"].items()
        if said["value"] != json.loads(canonical_json(_value(trader, name)))
    )
    same = decision.outcome == raw["outcome"] and _same_amount(decision.amount_yuan, amount)
    return SlipToday(
        as_of=trader.as_of,
        snapshot_id=trader.snapshot_id,
        rule_version=rule.version,
        outcome=decision.outcome,
        outcome_label=decision.outcome_label,
        amount_yuan=decision.amount_yuan,
        is_rule_changed=rule.version != raw["rule"]["version"],
        facts_changed=moved,
        decides_differently=not same,
        why_unknown="",
    )


def unknown_today(why: str) -> SlipToday:
    """Today cannot be told: the rule, the trader or the data are no longer there."""
    return SlipToday(None, "", "", "", "", None, False, (), None, why)


def _value(trader: TraderFacts, name: str) -> object:
    known = trader.values.get(name)
    return known.value if known else None


def _same_amount(now: Decimal | None, then: str | None) -> bool:
    return (now is None) == (then is None) and (now is None or now == Decimal(str(then)))
