"""Which rules somebody is looking for, and how a rule came to be what it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from getihu.reference import selectors as reference
from getihu.rulebook.contracts import RuleDifference, RuleSummary
from getihu.rulebook.model.rules import Rule, Rulebook
from getihu.rulebook.model.scope import NATIONAL
from getihu.rulebook.whatif.reads import history, past_versions


@dataclass(frozen=True)
class RuleFilter:
    """``text``: words that all occur in title, document, article, benefit or id. ``region``: a
    code (rules of that place or a wider one) or CN. ``kind``: eligibility or table. ``on``: in
    force on that day. Empty: any."""

    text: str = ""
    region: str = ""
    kind: str = ""
    on: date | None = None


@dataclass(frozen=True)
class RuleVersion:
    """One version: its period, what it changed against the one before, and how it came to
    decide (``ground``: initial, first, the key of a drift report; empty: not yet)."""

    version: str
    valid_from: date
    valid_until: date | None
    is_on_file: bool
    ground: str
    first_used_on: date | None
    differences: tuple[RuleDifference, ...]


def filter_rules(
    book: Rulebook, listed: Sequence[RuleSummary], wanted: RuleFilter
) -> list[RuleSummary]:
    rules = {(rule.id, rule.version): rule for rule in book.rules}
    return [each for each in listed if _fits(rules[each.id, each.version], wanted)]


def _fits(rule: Rule, wanted: RuleFilter) -> bool:
    if wanted.kind and rule.kind != wanted.kind:
        return False
    if wanted.on and not rule.in_force(wanted.on):
        return False
    if wanted.region and not _holds_in(rule, wanted.region):
        return False
    where = "全国" if rule.region == NATIONAL else reference.division_name(rule.region)
    source = f"{rule.source.document} {rule.source.title} {rule.source.article}"
    text = " ".join((rule.id, rule.code, rule.title, rule.benefit, where, source)).casefold()
    return all(word in text for word in wanted.text.casefold().split())


def _holds_in(rule: Rule, region: str) -> bool:
    if region == NATIONAL:
        return rule.region == NATIONAL
    return region.startswith(rule.region_prefix)


def versions_of(versions: Sequence[Rule]) -> list[RuleVersion]:
    """Every version on file and every one that once decided, the newest first."""
    past = past_versions(versions[-1].id)
    grounds = {rule.version: (ground, since) for rule, ground, since in past}
    on_file = {rule.version for rule in versions}
    gone = [rule for rule, _, _ in past if rule.version not in on_file]
    # Texts that are gone came before those that stand at the same date of effect.
    every = sorted([*gone[::-1], *versions], key=lambda rule: rule.valid_from)
    return [
        _version(rule, changes, rule.version in on_file, grounds.get(rule.version))
        for rule, changes in history(every)
    ]


def _version(
    rule: Rule,
    changes: tuple[RuleDifference, ...],
    is_on_file: bool,
    lived: tuple[str, date] | None,
) -> RuleVersion:
    ground, since = lived or ("", None)
    return RuleVersion(
        rule.version, rule.valid_from, rule.valid_until, is_on_file, ground, since, changes
    )
