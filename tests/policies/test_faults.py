"""Twenty planted faults: each is stopped before a payment is released."""

import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from django.db import IntegrityError, connection, transaction

from getihu.accounts.contracts import Role
from getihu.dataplane import selectors as dataplane
from getihu.kernel.errors import GetihuError
from getihu.policies import selectors, services
from getihu.policies.contracts import yuan_of
from getihu.policies.models import Award, Batch, Order
from getihu.policies.services import planning
from getihu.rulebook import selectors as rulebook
from getihu.rulebook import services as rulebook_services
from tests.policies.conftest import AT, PROGRAMME, RULE, confirmed, officer

pytestmark = pytest.mark.django_db
RULES = "src/getihu/gateways/demo_city/rules"


@pytest.fixture
def rules(city, settings, tmp_path) -> Path:
    """The demo's rule folder as a copy that may be spoilt."""
    folder = tmp_path / "rules"
    shutil.copytree(RULES, folder)
    settings.DEMO_DIRS = {**settings.DEMO_DIRS, "rules": folder}
    return folder


@pytest.fixture
def approved(writer, supervisor, rules):
    """A dry run of the sound rule, approved."""
    run = services.plan_run(PROGRAMME, by=writer, at=AT)
    return services.approve_run(run.pk, by=supervisor, at=AT)


def change(folder: Path, old: str, new: str, *, cases: bool = True) -> None:
    """An edit of the rule; with ``cases`` somebody also makes its worked cases agree."""
    path = folder / f"{RULE}.yaml"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")
    if cases:
        (folder / f"{RULE}.cases.yaml").write_text(
            "cases:\n  - {name: 什么都不知道, as_of: 2026-10-31, facts: {}, expect: unknown}\n",
            "utf-8",
        )


def spoil_decisions(sql: str) -> None:
    """Change the file of the last sweep behind the program's back."""
    snapshot = dataplane.get_published_snapshot()
    path = rulebook.decisions_path(snapshot.data_until, snapshot.snapshot_id)
    spoilt = path.with_suffix(".spoilt")
    with duckdb.connect() as db:
        db.execute(f"CREATE TABLE d AS SELECT * FROM read_parquet('{path}')")
        db.execute(sql.replace("$rule", RULE.replace(".", "__")))
        db.execute(f"COPY d TO '{spoilt}' (FORMAT parquet)")
    path.unlink()
    spoilt.rename(path)


IN_THE_RULE: dict[str, Callable[[Path], None]] = {
    "cents for yuan": lambda f: change(f, "value: 300, unit: yuan", "value: 30000, unit: yuan"),
    "yuan for cents": lambda f: change(f, "value: 300, unit: yuan", "value: 3, unit: yuan"),
    "ten times": lambda f: change(f, "value: 300, unit: yuan", "value: 3000, unit: yuan"),
    "a tenth": lambda f: change(f, "value: 300, unit: yuan", "value: 30, unit: yuan"),
    "cap left out": lambda f: change(f, "value: 1500", "value: 150000"),
    "comparison turned round": lambda f: change(
        f, "insured_employees >= 1", "insured_employees <= 1"
    ),
    "inverted sign": lambda f: change(f, 'yuan: "yuan_per_person"', 'yuan: "0 - yuan_per_person"'),
    "condition left out": lambda f: change(f, "all_of: [has_insured, has_paid]", "all_of: [has_paid]"),
    "or for and": lambda f: change(f, "all_of: [has_insured", "any_of: [has_insured"),
    "per head left out": lambda f: change(f, "  per: insured_employees\n", ""),
    "wrong period": lambda f: change(f, "valid_until: 2027-01-01", "valid_until: 2026-06-01"),
    "cases red": lambda f: change(f, "value: 300, unit: yuan", "value: 301, unit: yuan", cases=False),
    "text no longer whole": lambda f: change(
        f, "region: ", "incomplete: 条件截断。\nregion: ", cases=False
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", IN_THE_RULE)
def test_a_fault_in_the_rule_awards_nothing(approved, rules, name):
    """Between the approval and the run somebody spoils the rule, and its cases along with it."""
    IN_THE_RULE[name](rules)
    try:
        run = services.start_run(approved.pk, at=AT)
    except GetihuError:
        run = None
    assert run is None or (run.state == "halted" and run.findings)
    assert not Award.objects.exists()


@pytest.mark.parametrize("name", [n for n in IN_THE_RULE if "period" not in n])
def test_the_same_fault_before_the_dry_run_is_seen_there_or_by_the_version(
    rules, writer, supervisor, name
):
    """Nobody has approved anything yet: bounds, cases, or a changed version must stop it, or the
    dry run shows it to the second person beside the last one."""
    sound = services.plan_run(PROGRAMME, by=writer, at=AT)
    IN_THE_RULE[name](rules)
    try:
        spoilt = services.plan_run(PROGRAMME, by=writer, at=AT)
    except GetihuError:
        return
    differs = (spoilt.entitled_count, spoilt.entitled_cents) != (
        sound.entitled_count,
        sound.entitled_cents,
    )
    assert spoilt.state == "halted" or differs


def test_fan_out_join(approved):
    spoil_decisions("INSERT INTO d SELECT * FROM d WHERE \"$rule\" = 'yes'")
    assert halted(approved)


def test_rows_lost(approved):
    spoil_decisions("DELETE FROM d WHERE \"$rule\" = 'yes' AND trader_code < '92330326'")
    assert halted(approved)


def test_a_sum_changed_behind_the_sweep_s_back(approved):
    spoil_decisions('UPDATE d SET "$rule__amount_yuan" = 900 WHERE "$rule__amount_yuan" = 600')
    assert halted(approved)


def test_a_sum_changed_within_the_breaker_s_limits(approved):
    """Too little for the breaker: deciding one by one finds it."""
    spoil_decisions(
        'UPDATE d SET "$rule__amount_yuan" = 600 WHERE trader_code = '
        '(SELECT min(trader_code) FROM d WHERE "$rule__amount_yuan" = 300)'
    )
    run = services.start_run(approved.pk, at=AT)
    with pytest.raises(services.EnginesDisagree):
        services.allot(run.pk, at=AT)
    run.refresh_from_db()
    assert run.state == "halted"
    assert not Award.objects.exists()


def test_an_empty_feed(approved, monkeypatch):
    """The insurance never came: nobody is decided, nobody is refused, nothing is paid."""
    spoil_decisions('UPDATE d SET "$rule" = \'unknown\' WHERE "$rule" IS NOT NULL')
    snapshot = dataplane.get_published_snapshot()
    real = rulebook.sweep_counts(snapshot.data_until)
    counts = {**real, RULE: {"unknown": sum(real[RULE].values())}}
    monkeypatch.setattr(planning.rulebook, "sweep_counts", lambda *_: counts)
    assert halted(approved)


def test_the_list_changed_on_disk(approved):
    run = services.start_run(approved.pk, at=AT)
    lines = planning.read_list(run)
    planning.write_list(run, [*lines[1:], planning.Line("92330302FRIEND0001", 150_000, "330302")])
    with pytest.raises(services.NotNow, match="指纹"):
        services.allot(run.pk, at=AT)
    assert not Award.objects.exists()


def test_another_period(approved):
    type(approved).objects.filter(pk=approved.pk).update(period="2025")
    assert halted(approved)


def test_an_order_changed_after_the_list_was_prepared(approved, cashier, supervisor):
    run = services.allot(services.start_run(approved.pk, at=AT).pk, at=AT)
    confirmed(run, 6)
    services.draw_sample(run.pk, at=AT)
    checker = officer(Role.CASE_OFFICER)
    for award in selectors.list_sample(run.pk):
        services.check_award(award.id, is_right=True, by=checker, at=AT)
    services.clear(run.pk, by=checker, at=AT)
    batch = services.prepare_batch(run.pk, by=cashier, at=AT)
    with pytest.raises(IntegrityError), transaction.atomic():
        Order.objects.filter(batch=batch).update(cents=99_999_900)  # the database holds it fast
    _without_guard(lambda: Order.objects.filter(batch=batch).update(cents=99_999_900))
    total = yuan_of(batch.cents)
    with pytest.raises(services.BatchChanged):
        services.release_batch(batch.pk, total_yuan=total, by=supervisor, at=AT)
    assert not Batch.objects.filter(released_at__isnull=False).exists()


def _without_guard(do: Callable[[], object]) -> None:
    """Whoever owns the database can take a trigger away."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("ALTER TABLE policies_order DISABLE TRIGGER policies_order_fixed")
        else:
            cursor.execute("DROP TRIGGER policies_order_fixed")
    do()


def halted(approved) -> bool:
    run = services.start_run(approved.pk, at=AT)
    return run.state == "halted" and bool(run.findings) and not Award.objects.exists()


def test_control_nothing_spoilt_nothing_halted(approved):
    run = services.start_run(approved.pk, at=AT)
    assert (run.state, run.findings) == ("allotting", [])
    assert services.allot(run.pk, at=AT).awards.count() == run.entitled_count


def test_the_worked_cases_are_run(rules):
    assert all(result.passed for result in rulebook_services.run_cases(RULE))
