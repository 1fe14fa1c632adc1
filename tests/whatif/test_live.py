"""No new version of a rule decides the city before somebody could see who moves."""

from datetime import UTC, date, datetime

import pytest
from click.testing import CliRunner

from getihu.config.cli import main
from getihu.rulebook import models, selectors, services
from getihu.rulebook.contracts import RuleChange
from getihu.rulebook.whatif.keeping import NothingChanged, NotOneRule
from getihu.rulebook.whatif.live import DriftReportMissing
from tests.rulebook.texts import SMALL_SHOP
from tests.whatif.conftest import AS_OF, SIZE_CASES, SNAPSHOT

AT = datetime(2026, 11, 6, 4, tzinfo=UTC)


def change(small, old="value: 300000", new="value: 200000"):
    path = small.folder / "tests.small_shop.yaml"
    path.write_text(path.read_text("utf-8").replace(old, new), "utf-8")
    return small.rule().version


def test_the_first_sweep_needs_no_report_and_is_noted(small):
    services.sweep(as_of=AS_OF)
    notes = {row.rule_id: row for row in models.LiveRule.objects.all()}
    assert set(notes) == {"tests.small_shop", "tests.size"}
    noted = notes["tests.small_shop"]
    assert (noted.ground, noted.as_of, noted.snapshot_id) == ("initial", AS_OF, SNAPSHOT)
    assert noted.text == SMALL_SHOP


def test_the_same_rules_sweep_again_and_again(small):
    services.sweep(as_of=AS_OF)
    services.sweep(as_of=date(2025, 6, 30))
    assert models.LiveRule.objects.count() == 2


def test_a_changed_rule_is_refused_with_the_command_to_run(small):
    services.sweep(as_of=AS_OF)
    counts = selectors.sweep_counts(AS_OF)
    version = change(small)
    with pytest.raises(DriftReportMissing) as refusal:
        services.sweep(as_of=AS_OF)
    assert version in str(refusal.value)
    assert "getihu rules drift tests.small_shop" in str(refusal.value)
    assert selectors.sweep_counts(AS_OF) == counts
    assert services.list_waiting_rules() == ["tests.small_shop"]


def test_with_its_drift_report_the_new_version_decides(small):
    services.sweep(as_of=AS_OF)
    before = small.rule().version
    after = change(small)
    report = services.make_drift_report("tests.small_shop", at=AT)
    assert report.key == f"{before}-{after}-{SNAPSHOT}-{AS_OF}"
    assert services.list_waiting_rules() == []
    services.sweep(as_of=AS_OF)
    assert models.LiveRule.objects.get(version=after).ground == report.key


def test_the_report_says_who_moves_from_where_to_where(small):
    services.sweep(as_of=AS_OF)
    old = small.rule()
    change(small)
    made = services.make_drift_report("tests.small_shop", at=AT).comparison
    pairs = list(zip(small.outcomes(old), small.outcomes(small.rule()), strict=True))
    assert {(b, a): n for b, a, n in made.moves} == {p: pairs.count(p) for p in set(pairs)}
    assert made.lost_yuan > 0 and made.gained_yuan == 0
    assert sum(p.lost for p in made.parts["trade"]) == sum(b == "yes" != a for b, a in pairs)


def test_a_report_is_written_once(small):
    services.sweep(as_of=AS_OF)
    change(small)
    first = services.make_drift_report("tests.small_shop", at=AT)
    again = services.make_drift_report("tests.small_shop", at=AT.replace(year=2027))
    assert again == first


def test_a_report_on_other_versions_lets_nothing_in(small):
    services.sweep(as_of=AS_OF)
    change(small)
    services.make_drift_report("tests.small_shop", at=AT)
    change(small, "value: 200000", "value: 100000")
    with pytest.raises(DriftReportMissing):
        services.sweep(as_of=AS_OF)


def test_the_first_version_of_a_new_rule_needs_no_report(small):
    services.sweep(as_of=AS_OF)
    text = SMALL_SHOP.replace("tests.small_shop", "tests.new_shop")
    (small.folder / "tests.new_shop.yaml").write_text(text, "utf-8")
    (small.folder / "tests.new_shop.cases.yaml").write_text(SIZE_CASES, "utf-8")
    services.sweep(as_of=AS_OF)
    assert models.LiveRule.objects.get(rule_id="tests.new_shop").ground == "first"


def test_going_back_to_a_version_that_decided_needs_no_report(small):
    services.sweep(as_of=AS_OF)
    change(small)
    services.make_drift_report("tests.small_shop", at=AT)
    services.sweep(as_of=AS_OF)
    change(small, "value: 200000", "value: 300000")
    services.sweep(as_of=AS_OF)


def test_two_versions_are_named_by_file_or_by_hash(small, tmp_path):
    services.sweep(as_of=AS_OF)
    before = small.rule().version
    other = tmp_path / "tests.small_shop.yaml"
    other.write_text(SMALL_SHOP.replace("value: 12,", "value: 24,"), "utf-8")
    report = services.make_drift_report(f"tests.small_shop@{before[:6]}", str(other), at=AT)
    assert report.comparison.before_version == before
    assert [d.label for d in report.comparison.differences] == ["开业月数"]


@pytest.mark.parametrize(
    ("old", "new", "error", "words"),
    [
        ("tests.small_shop@ffffff", "tests.small_shop", selectors.UnknownVersion, "rules live"),
        ("tests.nothing", "", selectors.UnknownVersion, "没有规则版本"),
        ("nowhere.yaml", "tests.size", selectors.UnknownVersion, "没有文件"),
        ("tests.size", "tests.small_shop", NotOneRule, "不是同一条规则"),
        ("tests.size", "tests.size", NothingChanged, "同一个版本"),
        ("tests.size", "", selectors.UnknownVersion, "首版不需要"),
    ],
)
def test_what_cannot_be_compared_says_why(small, old, new, error, words):
    with pytest.raises(error, match=words):
        services.make_drift_report(old, new, at=AT)


def test_versions_tell_what_changed_and_on_what_ground(small):
    services.sweep(as_of=AS_OF)
    change(small)
    report = services.make_drift_report("tests.small_shop", at=AT)
    services.sweep(as_of=AS_OF)
    newest, oldest = selectors.list_rule_versions("tests.small_shop")
    assert (newest.ground, newest.is_on_file) == (report.key, True)
    assert (oldest.ground, oldest.is_on_file) == ("initial", False)
    assert [(d.before, d.after) for d in newest.differences] == [("300,000 元", "200,000 元")]


def test_the_command_line_makes_every_report_that_is_waiting(small):
    services.sweep(as_of=AS_OF)
    change(small)
    answer = CliRunner().invoke(main, ["rules", "drift"])
    assert answer.exit_code == 0, answer.output
    assert "不记录谁在什么时候批准" in answer.output
    assert "没有等着" in CliRunner().invoke(main, ["rules", "drift"]).output
    services.sweep(as_of=AS_OF)


def test_the_command_line_answers_what_if_and_writes_a_draft(small, tmp_path):
    asked = ["whatif", "tests.small_shop", "--set", "most_sales_yuan=200000"]
    answer = CliRunner().invoke(main, asked)
    assert "年销售额上限：300,000 元 → 200,000 元" in answer.output
    answer = CliRunner().invoke(
        main, [*asked, "--draft", str(tmp_path / "d"), "--from", "2027-01-01"]
    )
    assert answer.exit_code == 0, answer.output
    assert services.check_rules([tmp_path / "d"]) == []
    answer = CliRunner().invoke(main, ["whatif", "tests.small_shop", "--curve", "most_sales_yuan"])
    assert "▶" in answer.output


def test_a_scenario_keeps_what_came_out_when_it_was_kept(small):
    changes = [RuleChange("parameter", "most_sales_yuan", "200000")]
    kept = services.keep_scenario("tests.small_shop", changes, title="  收紧  ", at=AT)
    assert kept == selectors.get_scenario(kept.number)
    assert (kept.title, kept.changes) == ("收紧", tuple(changes))
    change(small)
    assert selectors.get_scenario(kept.number).comparison == kept.comparison
    assert selectors.list_scenarios("tests.small_shop") == [kept]
    assert selectors.list_scenarios("tests.size") == []
    services.remove_scenario(kept.number)
    with pytest.raises(selectors.UnknownScenario):
        selectors.get_scenario(kept.number)


def test_a_scenario_without_a_change_is_not_kept(small):
    with pytest.raises(NothingChanged):
        services.keep_scenario("tests.small_shop", [], title="空", at=AT)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"text": "小店 测试"}, ["tests.small_shop"]),
        ({"text": "火星"}, []),
        ({"kind": "table"}, ["tests.size"]),
        ({"region": "330302"}, ["tests.size", "tests.small_shop"]),
        ({"region": "440310"}, ["tests.size"]),
        ({"region": "CN"}, ["tests.size"]),
        ({"on": date(2025, 12, 31)}, ["tests.size"]),
        ({"on": date(2026, 1, 1)}, ["tests.size", "tests.small_shop"]),
    ],
)
def test_a_list_is_narrowed_by_words_place_kind_and_day(small, wanted, found):
    listed = selectors.find_rules(selectors.RuleFilter(**wanted))
    assert [rule.id for rule in listed] == found
