"""What is kept of record: scenarios and drift reports."""

from collections.abc import Sequence
from datetime import datetime

from getihu.dataplane import selectors as dataplane
from getihu.kernel.errors import GetihuError
from getihu.rulebook import models
from getihu.rulebook.contracts import DriftReport, RuleChange, Scenario
from getihu.rulebook.model.rules import Rule
from getihu.rulebook.whatif.changes import MOST_CHANGES, rule_text
from getihu.rulebook.whatif.compare import compare
from getihu.rulebook.whatif.kept import plain
from getihu.rulebook.whatif.reads import Scene, changed, drift_report, scenario

LONGEST_TITLE = 80


class NothingChanged(GetihuError):
    """A what-if without a change, or a report between a version and itself."""


class NotOneRule(GetihuError):
    """Two versions of different rules cannot be compared."""


def keep_scenario(
    at: Scene, changes: Sequence[RuleChange], *, title: str, made_at: datetime
) -> Scenario:
    """Keep a what-if with what comes out today. Raises: NothingChanged, UnknownPart,
    InvalidInput."""
    if not changes or len(changes) > MOST_CHANGES:
        raise NothingChanged("还没有改动任何一处。处理办法：先改一个标准或者条件。")
    row = models.Scenario.objects.create(
        title=title.strip()[:LONGEST_TITLE] or "未命名方案",
        rule_id=at.rule.id,
        base_text=rule_text(at.rule),
        changes=plain(list(changes)),
        made_at=made_at,
        content=plain(changed(at, changes)),
    )
    return scenario(row.pk)


def remove_scenario(number: int) -> None:
    """Raises: UnknownScenario."""
    scenario(number)
    models.Scenario.objects.filter(pk=number).delete()


def make_drift_report(at: Scene, before: Rule, *, made_at: datetime) -> DriftReport:
    """Compare the version before with ``at.rule`` and keep the report.

    Written once: the same two versions on the same snapshot and date give the report there is.
    Raises: NothingChanged, NotOneRule.
    """
    after = at.rule
    if before.id != after.id:
        raise NotOneRule(
            f"{before.id} 和 {after.id} 不是同一条规则。处理办法：比较同一编号的两个版本。"
        )
    if before.version == after.version:
        raise NothingChanged(f"两边是同一个版本 {after.version}，没有什么可比较。")
    key = f"{before.version}-{after.version}-{at.snapshot_id}-{at.as_of.isoformat()}"
    comparison = compare(at.city(), before, after, at.type_rule, dataplane.fact_catalogue())
    models.DriftReport.objects.get_or_create(
        key=key,
        defaults={
            "rule_id": after.id,
            "before_version": before.version,
            "after_version": after.version,
            "made_at": made_at,
            "content": plain(comparison),
        },
    )
    return drift_report(key)
