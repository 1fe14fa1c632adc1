"""A what-if written down: the text passes the checks, and nothing else in it has moved."""

from datetime import date
from pathlib import Path

import pytest
from django.conf import settings

from getihu.dataplane import selectors as dataplane
from getihu.rulebook import selectors, services
from getihu.rulebook.contracts import RuleChange
from getihu.rulebook.evaluate.cases import run_case
from getihu.rulebook.load.cases import read_cases
from getihu.rulebook.load.folder import rule_files
from getihu.rulebook.load.rule import read_rule
from getihu.rulebook.whatif.changes import UnknownPart, edits_for, rule_text
from getihu.rulebook.whatif.drafts import DraftTooEarly, draft_version
from getihu.rulebook.whatif.edit import TextTree, apply, written

BEGINS = date(2027, 1, 1)
CHANGE = [RuleChange("parameter", "most_sales_yuan", "360000")]
SHIPPED = [path for path in rule_files(map(Path, settings.RULE_DIRS)) if "@" not in path.name]


def write(folder: Path, draft) -> Path:
    (folder / draft.cases_name).write_text(draft.cases_text, "utf-8")
    (folder / draft.file_name).write_text(draft.text, "utf-8")
    return folder / draft.file_name


@pytest.fixture
def made(small, tmp_path):
    draft = selectors.draft_rule("tests.small_shop", CHANGE, BEGINS)
    folder = tmp_path / "drafts"
    folder.mkdir()
    return draft, write(folder, draft)


def test_a_draft_passes_rules_check_and_its_own_cases(small, made):
    draft, path = made
    assert services.check_rules([path]) == []
    rule, _ = read_rule(path, dataplane.fact_catalogue())
    cases, _ = read_cases(path.with_name(draft.cases_name), rule, dataplane.fact_catalogue())
    assert [run_case(rule, case).message for case in cases] == ["", "", ""]
    assert rule.version == draft.version


def test_a_changed_number_is_marked_as_ours_until_it_has_a_source(small, made):
    rule, _ = read_rule(made[1], dataplane.fact_catalogue())
    changed = rule.parameter_by_name["most_sales_yuan"]
    assert (changed.value, changed.is_official) == (360000, False)
    assert changed.source.startswith("本项目设定，非官方；草案待定，原为 300000（第一条）")
    assert rule.parameter_by_name["per_person_yuan"].is_official


def test_a_draft_begins_on_its_day_and_says_what_is_left_to_do(small, made):
    draft, path = made
    rule, _ = read_rule(path, dataplane.fact_catalogue())
    assert (rule.valid_from, rule.valid_until) == (BEGINS, date(2028, 1, 1))
    assert any("valid_until 写成 2027-01-01" in note for note in draft.notes)
    assert any(
        f"getihu rules drift tests.small_shop@{small.rule().version}" in n for n in draft.notes
    )


def test_cases_that_come_out_otherwise_are_named(small, made):
    draft, _ = made
    assert draft.changed_cases == ("销售额太高，没缴过税",)
    assert "销售额太高，没缴过税（草案改变：现行为 no）" in draft.cases_text
    assert "# 最普通的一种" in draft.cases_text


def test_only_the_changed_characters_move(small):
    text = "# 说明\n" + rule_text(small.rule())
    edited = apply(text, edits_for(text, CHANGE))
    assert edited == text.replace("value: 300000", "value: 360000")


def test_a_draft_cannot_begin_before_the_rule(small):
    with pytest.raises(DraftTooEarly, match="2026-01-01"):
        selectors.draft_rule("tests.small_shop", CHANGE, date(2026, 1, 1))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_shipped_rule_can_be_drafted(path, tmp_path):
    """Every number doubled, one after the other: each draft passes all checks of files."""
    catalogue = dataplane.fact_catalogue()
    rule, _ = read_rule(path, catalogue)
    numbers = [
        p for p in rule.parameters if isinstance(p.value, int) and not isinstance(p.value, bool)
    ]
    begins = max(BEGINS, rule.valid_from.replace(year=rule.valid_from.year + 1))
    for parameter in numbers:
        change = [RuleChange("parameter", parameter.name, str(parameter.value * 2 + 1))]
        draft = draft_version(rule, rule_text(rule), change, catalogue, valid_from=begins)
        assert services.check_rules([write(tmp_path, draft)]) == []


@pytest.mark.parametrize(
    ("text", "path", "value", "expected"),
    [
        ("a: 1 # eins\nb: 2\n", ("a",), 5, "a: 5 # eins\nb: 2\n"),
        ('a: {b: "x y", c: 1}\n', ("a", "b"), "y: z", 'a: {b: "y: z", c: 1}\n'),
        ("a: >-\n  lang\n  und breit\nb: 1\n", ("a",), "kurz", "a: kurz\nb: 1\n"),
        ("a:\n  - {n: 1}\n  - {n: 2}\n", ("a", 1, "n"), 3, "a:\n  - {n: 1}\n  - {n: 3}\n"),
        ("a: [x, y]\n", ("a",), {"all_of": ["x"]}, "a: {all_of: [x]}\n"),
    ],
)
def test_a_value_is_replaced_in_its_place(text, path, value, expected):
    assert apply(text, TextTree(text).set(path, value)) == expected


@pytest.mark.parametrize(
    ("text", "path", "expected"),
    [
        ("a:\n  b: 1\n  # zu c\n  c: 2\n  d: 3\n", ("a", "c"), "a:\n  b: 1\n  # zu c\n  d: 3\n"),
        ("a: {b: 1, c: 2, d: 3}\n", ("a", "c"), "a: {b: 1, d: 3}\n"),
        ("a: {b: 1, c: 2}\n", ("a", "c"), "a: {b: 1}\n"),
        ("a: {b: 1}\nc: 1\n", ("a",), "c: 1\n"),
    ],
)
def test_a_key_is_taken_away_with_its_lines(text, path, expected):
    assert apply(text, TextTree(text).remove(path)) == expected


@pytest.mark.parametrize(
    "value", ["yes", "1", "a: b", "x #y", "true", "", "„“", "一", "2026-01-01", "-", "[a"]
)
def test_words_come_back_as_words(value):
    import yaml

    assert yaml.safe_load(f"a: {written(value)}")["a"] == value


def test_an_edit_of_nothing_is_refused(small):
    with pytest.raises(UnknownPart):
        edits_for(rule_text(small.rule()), [RuleChange("parameter", "gone", "1")])
