"""Writes of the rulebook: decide the whole city; check rule files and run their cases."""

import json
import os
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from pathlib import Path

from getihu.dataplane import selectors as dataplane
from getihu.kernel.errors import InvalidInput, Problem
from getihu.rulebook import selectors
from getihu.rulebook.columns.city import CityColumns
from getihu.rulebook.columns.sweep import JoinedSweep
from getihu.rulebook.columns.writing import write_decisions
from getihu.rulebook.contracts import (
    CaseResult,
    DriftReport,
    FrameLine,
    ReplayResult,
    RuleChange,
    Scenario,
    Slip,
    SweepReport,
)
from getihu.rulebook.evaluate.cases import run_case
from getihu.rulebook.load.cases import check_possible, read_cases
from getihu.rulebook.load.folder import cases_file, read_folder
from getihu.rulebook.load.skeleton import write_skeleton
from getihu.rulebook.model.rules import Rule
from getihu.rulebook.permitted import facts_of_many, sweep_permitted
from getihu.rulebook.slips import reads as slips
from getihu.rulebook.whatif import keeping, live, reads

Progress = Callable[[str], None]


def sweep(
    *, as_of: date, snapshot_id: str | None = None, progress: Progress | None = None
) -> SweepReport:
    """Decide every rule for every trader as of a date, from the facts table of a snapshot.

    Writes ``decisions_path`` and beside it a JSON file with rule versions and counts; each appears
    whole or not at all. The same snapshot, rules and date give the same rows in the same order.
    Raises: NothingPublished, FactsNotBuilt, AsOfBeforeData, InvalidInput (a rule file is wrong),
    DriftReportMissing (a new version of a rule, and nobody has seen who moves).
    Cost: each distinct clause once; at 1.1 million traders some tenths of a second to decide, some
    seconds to write. The first sweep of a facts table codes its columns (``columns.city``).
    """
    started = time.monotonic()
    snapshot_id = snapshot_id or dataplane.get_published_snapshot().snapshot_id
    book = selectors.get_rulebook()
    rules = book.governing(as_of)
    live.check_may_go_live(rules)
    columns = CityColumns.open(as_of, snapshot_id)
    swept = sweep_permitted(columns, rules, as_of)
    if progress:
        progress(f"判定 {len(rules)} 条规则（{swept.distinct_clauses} 个不同条件）")
    target = selectors.decisions_path(as_of, snapshot_id)
    target.parent.mkdir(parents=True, exist_ok=True)
    _write_decisions(swept, columns, target)
    counts = {
        rule_id: dict(sorted(found.items(), key=lambda pair: (-pair[1], pair[0])))
        for rule_id, found in swept.counts().items()
    }
    record = {
        "as_of": as_of.isoformat(),
        "counts": counts,
        "rules": {rule.id: rule.version for rule in rules},
        "snapshot_id": snapshot_id,
        "traders": swept.traders,
    }
    _write_whole(target.with_suffix(".json"), json.dumps(record, ensure_ascii=False, indent=1))
    live.record(book, as_of, snapshot_id)
    return SweepReport(as_of, snapshot_id, swept.traders, time.monotonic() - started, counts)


def _write_decisions(swept: JoinedSweep, columns: CityColumns, target: Path) -> None:
    """The file takes its name only when complete."""
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=".sweep-", suffix=".parquet")
    os.close(handle)
    unfinished = Path(name)
    try:
        write_decisions(swept, columns.read("trader_code"), unfinished)
        _keep(unfinished, target)
    finally:
        unfinished.unlink(missing_ok=True)


def _write_whole(target: Path, text: str) -> None:
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=".sweep-", suffix=".json")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    _keep(Path(name), target)


def _keep(unfinished: Path, target: Path) -> None:
    """Make a complete file durable, then give it its name."""
    with unfinished.open("rb") as file:
        os.fsync(file.fileno())
    unfinished.chmod(0o644)
    unfinished.replace(target)


def new_rule(rule_id: str, region: str) -> tuple[Path, Path]:
    """Start a rule: a text with its cases, which pass, and “待填” where the author writes.

    Returns the two files, in the folder of the rule's slice. Raises: NotARuleName, RuleExists.
    """
    return write_skeleton(rule_id, region, selectors.rule_folders())


def check_rules(paths: Iterable[Path]) -> list[Problem]:
    """Every problem of the rule files (and cases) in some files and folders, by file and line."""
    catalogue = dataplane.fact_catalogue()
    rules, found = read_folder(map(Path, paths), catalogue)
    problems: list[Problem] = list(found)
    for rule in rules:
        _, document = read_cases(cases_file(Path(rule.file)), rule, catalogue)
        if not document.problems:
            check_possible(document, rule, catalogue)
        problems += document.problems
    return sorted(problems, key=lambda p: (p.file or "", p.line or 0, p.column or 0))


def list_review_flags(paths: Iterable[Path]) -> list[tuple[str, FrameLine]]:
    """File and flag of everything a fair-competition review must still answer in some rules."""
    rules, _ = read_folder(map(Path, paths), dataplane.fact_catalogue())
    return [(rule.file, flag) for rule in rules for flag in selectors.review_flags(rule)]


def run_cases(rule_id: str) -> list[CaseResult]:
    """Run the worked cases beside a rule, every version of it.

    Raises: UnknownRule; InvalidInput when the case file is wrong.
    """
    selectors.get_rule(rule_id)
    results: list[CaseResult] = []
    for rule in selectors.get_rulebook().versions(rule_id):
        cases, document = read_cases(cases_file(Path(rule.file)), rule, dataplane.fact_catalogue())
        if document.problems:
            raise InvalidInput(document.problems)
        results += [run_case(rule, case) for case in cases]
    return results


def keep_scenario(
    rule_id: str, changes: Sequence[RuleChange], *, title: str, at: datetime
) -> Scenario:
    """Keep a what-if with what comes out today.

    Raises: UnknownRule, NothingChanged, UnknownPart, InvalidInput, NothingPublished.
    """
    scene = selectors.scene_of(rule_id)
    return keeping.keep_scenario(scene, changes, title=title, made_at=at)


def remove_scenario(number: int) -> None:
    """Forget a kept what-if. Raises UnknownScenario."""
    keeping.remove_scenario(number)


def make_drift_report(
    before: str, after: str = "", *, at: datetime, as_of: date | None = None
) -> DriftReport:
    """The report that must exist before a new version of a rule decides the city.

    Versions are file names or ``id@version``. With ``before`` alone (a rule's id): from the
    version that decides now to the one on file. Raises: UnknownVersion, NotOneRule,
    NothingChanged, InvalidInput, NothingPublished, FactsNotBuilt.
    """
    book = selectors.get_rulebook()
    new = reads.find_version(book, after or before)
    old = reads.find_version(book, before) if after else reads.live_rule(book, new.id, new.version)
    return keeping.make_drift_report(selectors.scene_of(new, as_of), old, made_at=at)


def report_drift(rule: Rule, *, at: datetime) -> DriftReport:
    """The report on who moves from the version that decides now to a draft. Raises as
    ``make_drift_report``."""
    old = reads.live_rule(selectors.get_rulebook(), rule.id, rule.version)
    return keeping.make_drift_report(selectors.scene_of(rule), old, made_at=at)


def list_waiting_rules(as_of: date | None = None) -> list[str]:
    """Ids of the rules whose version on file may not decide yet for want of a drift report."""
    on = as_of or dataplane.get_published_snapshot().data_until
    waiting = live.waiting_versions(selectors.get_rulebook().governing(on))
    return [rule.id for rule, _ in waiting]


def issue_slip(
    trader_code: str,
    rule_id: str,
    *,
    as_of: date | None = None,
    snapshot_id: str | None = None,
    answers: selectors.Answers | None = None,
    actor: str = "job:slip",
    at: datetime | None = None,
) -> Slip:
    """The slip of one decision, with the texts it rests on put into the archive.

    The same trader, rule version, date, snapshot and answers give the same bytes. With the moment
    ``at`` its fingerprint goes into the audit log, once however often it is issued; ``actor`` is
    a reference as the log wants it. Raises as ``selectors.explain_rule``, and UnknownAnswer,
    RuleChangedMeanwhile.
    """
    rule, trader = selectors.ground_of(trader_code, rule_id, as_of, snapshot_id)
    made = slips.issue(rule, trader, answers or {})
    if at is not None:
        slips.tell(made, actor, at)
    return made


def issue_again(content: bytes, *, snapshot_id: str) -> Slip:
    """The question of a slip decided on another snapshot: same trader, date and answers, by the
    version of the rule now on file for that date. Raises: NotASlip; as ``issue_slip``."""
    raw = slips.read(content)
    as_of = date.fromisoformat(raw["as_of"])
    rule = selectors.get_rule(raw["rule"]["id"], as_of)
    answers = slips.answers_of(raw, rule)
    return issue_slip(
        raw["trader_code"], rule.id, as_of=as_of, snapshot_id=snapshot_id, answers=answers
    )


def issue_slips(
    rule_id: str, trader_codes: Sequence[str], *, as_of: date, snapshot_id: str
) -> Iterator[Slip]:
    """Slips of one rule for many traders, sorted by code; who is not on the register is left out.

    The same bytes as ``issue_slip`` gives each; nothing goes into the audit log. Raises:
    FactsNotBuilt, AsOfBeforeData, UnknownRule, UnknownSnapshot, RuleChangedMeanwhile.
    """
    rule = selectors.get_rule(rule_id, as_of)
    traders = dataplane.list_trader_facts(trader_codes, as_of, snapshot_id, facts=rule.facts)
    return slips.issue_many(rule, facts_of_many(rule, traders))


def replay(content: bytes) -> ReplayResult:
    """Decide a slip once more from the archive; the bytes must come out the same.

    Raises: NotASlip, SlipTampered (naming the fields), NotArchived, InvalidInput.
    """
    return slips.replay(content, selectors.ground_of)
