"""Which versions have decided the city, and what must exist before another one may."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from django.db import transaction
from django.db.models import Min

from getihu.kernel.errors import GetihuError
from getihu.rulebook import models
from getihu.rulebook.model.rules import Rule, Rulebook

INITIAL = "initial"
FIRST = "first"


class DriftReportMissing(GetihuError):
    """New versions of rules would decide, and nobody has seen who moves."""


def check_may_go_live(rules: Sequence[Rule]) -> None:
    """Refuse versions that have never decided and have no drift report.

    The first sweep of an installation, and the first version of a rule, need none: there is
    nothing to drift from. Raises: DriftReportMissing with every such rule and what to run.
    """
    waiting = waiting_versions(rules)
    if not waiting:
        return
    lines = [
        f"规则 {rule.id} 的新版本 {rule.version} 还没有漂移报告（现行 {before}）。"
        for rule, before in waiting
    ]
    first = waiting[0][0].id
    every = "" if len(waiting) == 1 else "；全部一起做：getihu rules drift"
    raise DriftReportMissing(
        "\n".join(lines)
        + f"\n处理办法：先看清谁会变、变到哪里、差多少钱：getihu rules drift {first}{every}。"
    )


def waiting_versions(rules: Sequence[Rule]) -> list[tuple[Rule, str]]:
    """The versions that may not decide yet, each with the live version it would replace."""
    live = _live()
    found = []
    for rule in rules:
        versions = live.get(rule.id)
        if not versions or rule.version in versions:
            continue
        reported = models.DriftReport.objects.filter(
            rule_id=rule.id, after_version=rule.version, before_version__in=versions
        )
        if not reported.exists():
            found.append((rule, versions[-1]))
    return found


def record(book: Rulebook, as_of: date, snapshot_id: str) -> None:
    """Note which versions decided the city, with their texts as they are now.

    Of a rule seen for the first time every version is noted: they came in together.
    """
    live = _live()
    governing = book.governing(as_of)
    rules = [rule for rule in book.rules if rule in governing or rule.id not in live]
    reports = {
        (report.rule_id, report.after_version): report.key
        for report in models.DriftReport.objects.order_by("pk")
    }
    new = [rule for rule in rules if rule.version not in live.get(rule.id, [])]
    rows = [
        models.LiveRule(
            rule_id=rule.id,
            version=rule.version,
            text=Path(rule.file).read_text("utf-8"),
            as_of=as_of,
            snapshot_id=snapshot_id,
            ground=_ground(rule, live, reports),
        )
        for rule in new
    ]
    with transaction.atomic():
        models.LiveRule.objects.bulk_create(rows, ignore_conflicts=True)


def _ground(rule: Rule, live: dict[str, list[str]], reports: dict[tuple[str, str], str]) -> str:
    if not live:
        return INITIAL
    return FIRST if rule.id not in live else reports.get((rule.id, rule.version), FIRST)


def _live() -> dict[str, list[str]]:
    """Rule id → its live versions, the latest last."""
    found: dict[str, list[str]] = {}
    for rule_id, version in models.LiveRule.objects.order_by("pk").values_list(
        "rule_id", "version"
    ):
        found.setdefault(rule_id, []).append(version)
    return found


def live_versions(rule_id: str) -> list[models.LiveRule]:
    """The versions of one rule that have decided, the latest first."""
    return list(models.LiveRule.objects.filter(rule_id=rule_id).order_by("-pk"))


def drift_report_of(rule: Rule) -> str:
    """The key of a report into this version; ``none`` when it needs none, empty when it lacks."""
    versions = _live().get(rule.id)
    if not versions or rule.version in versions:
        return "none"
    found = models.DriftReport.objects.filter(
        rule_id=rule.id, after_version=rule.version, before_version__in=versions
    )
    return found.order_by("-made_at").values_list("key", flat=True).first() or ""


def first_days() -> dict[str, date]:
    """Rule id → the first date the city was decided by any version of it."""
    found = models.LiveRule.objects.values("rule_id").annotate(first=Min("as_of"))
    return {row["rule_id"]: row["first"] for row in found}
