"""The questions pages, API and command line put, answered for one rulebook on one date."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path

from django.conf import settings

from getihu.dataplane import selectors as dataplane
from getihu.kernel.errors import GetihuError, InvalidInput
from getihu.rulebook import models
from getihu.rulebook.contracts import (
    Comparison,
    DraftVersion,
    DriftReport,
    ParameterCurve,
    RuleChange,
    RuleDifference,
    RuleNumbers,
    Scenario,
)
from getihu.rulebook.model.rules import Rule, Rulebook
from getihu.rulebook.permitted import consents_stamp
from getihu.rulebook.whatif.changes import changed_rule, read_text, rule_text
from getihu.rulebook.whatif.city import City, open_city, outcomes_of
from getihu.rulebook.whatif.compare import compare
from getihu.rulebook.whatif.curves import rule_curves
from getihu.rulebook.whatif.differences import differences
from getihu.rulebook.whatif.drafts import draft_version
from getihu.rulebook.whatif.kept import FORMAT, cached, restored
from getihu.rulebook.whatif.live import live_versions
from getihu.rulebook.whatif.numbers import rule_numbers


class UnknownScenario(GetihuError):
    """No kept what-if has this number."""


class UnknownDriftReport(GetihuError):
    """No drift report has this key."""


class UnknownVersion(GetihuError):
    """A version named as rule@hash is neither on file nor has it ever decided."""


@dataclass(frozen=True)
class Scene:
    """A rule among its fellows, on the city of one date and snapshot."""

    rule: Rule
    type_rule: Rule | None
    as_of: date
    snapshot_id: str

    def city(self) -> City:
        """Raises: FactsNotBuilt, AsOfBeforeData."""
        return open_city(self.as_of, self.snapshot_id)

    def kept(self, question: str) -> Path:
        """Where an answer is kept: it stays right as long as none of its grounds changes."""
        typed = self.type_rule.version if self.type_rule else "none"
        folder = Path(settings.DATA_DIR) / "rulebook" / "whatif" / self.snapshot_id
        # A regional rule above this one changes its answer without changing its text.
        above = repr(self.rule.overridden_by).encode() if self.rule.overridden_by else b""
        ground = f"{typed}-{sha256(above).hexdigest()[:8]}" if above else typed
        # Nor does a consent given or taken back change any text.
        within = "-".join(consents_stamp(r) for r in (self.rule, self.type_rule) if r).strip("-")
        if within:
            ground = f"{ground}-{sha256(within.encode()).hexdigest()[:12]}"
        name = f"{self.rule.id}-{self.rule.version}-{ground}-{question}-{FORMAT}.json"
        return folder / self.as_of.isoformat() / name


def scene(book: Rulebook, type_rule_id: str, rule: Rule, as_of: date | None) -> Scene:
    """``as_of`` is by default the last day of the published data. Raises: NothingPublished."""
    snapshot = dataplane.get_published_snapshot()
    on = as_of or snapshot.data_until
    type_rule = book.at(type_rule_id, on) if book.versions(type_rule_id) else None
    return Scene(rule, type_rule, on, snapshot.snapshot_id)


def numbers(at: Scene) -> RuleNumbers:
    catalogue = dataplane.fact_catalogue()
    return cached(
        at.kept("numbers"),
        RuleNumbers,
        lambda: rule_numbers(at.city(), at.rule, at.type_rule, catalogue),
    )


def curves(at: Scene, outcome: str) -> list[ParameterCurve]:
    """``outcome`` the rule cannot have counts as not asked: it also names the kept file."""
    catalogue = dataplane.fact_catalogue()
    outcome = outcome if outcome in outcomes_of(at.rule) else ""
    return cached(
        at.kept(f"curves-{outcome}"),
        list[ParameterCurve],
        lambda: rule_curves(at.city(), at.rule, catalogue, outcome=outcome),
    )


def changed(at: Scene, changes: Sequence[RuleChange], outcome: str = "") -> Comparison:
    """The city under the rule and under its changed copy. Raises: UnknownPart, InvalidInput."""
    catalogue = dataplane.fact_catalogue()
    copy = changed_rule(at.rule, rule_text(at.rule), changes, catalogue)
    return compare(at.city(), at.rule, copy, at.type_rule, catalogue, outcome=outcome)


def draft(rule: Rule, changes: Sequence[RuleChange], valid_from: date) -> DraftVersion:
    facts = dataplane.fact_catalogue()
    return draft_version(rule, rule_text(rule), changes, facts, valid_from=valid_from)


def history(versions: Sequence[Rule]) -> list[tuple[Rule, tuple[RuleDifference, ...]]]:
    """Every version with what it changed against the one before, the newest first."""
    found = [
        (rule, differences(versions[n - 1], rule) if n else ()) for n, rule in enumerate(versions)
    ]
    return found[::-1]


def past_versions(rule_id: str) -> list[tuple[Rule, str, date]]:
    """Versions that have decided, the latest first: rule, on what ground, since which date.

    A text that today's facts no longer allow to be read is left out: replay keeps its own facts.
    """
    facts = dataplane.fact_catalogue()
    found = []
    for row in live_versions(rule_id):
        try:
            rule = read_text(f"{row.rule_id}@{row.version}.yaml", row.text, facts)
        except InvalidInput:
            continue
        found.append((rule, row.ground, row.as_of))
    return found


def find_version(book: Rulebook, reference: str) -> Rule:
    """A rule by file name or ``id@version`` (the hash or its beginning); ``id`` is the version
    on file. Raises: UnknownVersion, InvalidInput."""
    path = Path(reference)
    facts = dataplane.fact_catalogue()
    if path.suffix in (".yaml", ".yml"):
        if not path.is_file():
            raise UnknownVersion(f"没有文件 {reference}。处理办法：核对文件名。")
        return read_text(str(path), path.read_text("utf-8"), facts)
    rule_id, _, version = reference.partition("@")
    for rule in reversed(book.versions(rule_id)):
        if rule.version.startswith(version):
            return rule
    for row in live_versions(rule_id):
        if version and row.version.startswith(version):
            return read_text(f"{rule_id}@{row.version}.yaml", row.text, facts)
    raise UnknownVersion(
        f"没有规则版本“{reference}”。处理办法：写文件名，或者写 规则编号@版本；"
        "版本见 getihu rules live 和规则页。"
    )


def live_rule(book: Rulebook, rule_id: str, instead_of: str) -> Rule:
    """The version a new one would replace: the last that decided, else the first on file.

    Raises: UnknownVersion."""
    for row in live_versions(rule_id):
        if row.version != instead_of:
            return find_version(book, f"{rule_id}@{row.version}")
    others = [rule for rule in book.versions(rule_id) if rule.version != instead_of]
    if others:
        return others[-1]
    raise UnknownVersion(f"规则 {rule_id} 没有别的版本可以比较：首版不需要漂移报告。")


def scenarios(rule_id: str = "") -> list[Scenario]:
    """Kept what-ifs, the latest first; of one rule or of all."""
    rows = models.Scenario.objects.order_by("-pk")
    return [_scenario(row) for row in (rows.filter(rule_id=rule_id) if rule_id else rows)]


def scenario(number: int) -> Scenario:
    """Raises: UnknownScenario."""
    row = models.Scenario.objects.filter(pk=number).first()
    if row is None:
        raise UnknownScenario(f"没有第 {number} 号方案。处理办法：在方案列表里核对编号。")
    return _scenario(row)


def _scenario(row: models.Scenario) -> Scenario:
    return Scenario(
        number=row.pk,
        title=row.title,
        rule_id=row.rule_id,
        changes=restored(tuple[RuleChange, ...], row.changes),
        made_at=row.made_at,
        comparison=restored(Comparison, row.content),
    )


def drift_reports(rule_id: str) -> list[DriftReport]:
    """The drift reports of a rule, the latest first."""
    rows = models.DriftReport.objects.filter(rule_id=rule_id).order_by("-made_at", "-pk")
    return [_report(row) for row in rows]


def drift_report(key: str) -> DriftReport:
    """Raises: UnknownDriftReport."""
    row = models.DriftReport.objects.filter(key=key).first()
    if row is None:
        raise UnknownDriftReport(f"没有编号为“{key}”的漂移报告。处理办法：在规则页里找。")
    return _report(row)


def _report(row: models.DriftReport) -> DriftReport:
    return DriftReport(row.key, row.made_at, restored(Comparison, row.content))
