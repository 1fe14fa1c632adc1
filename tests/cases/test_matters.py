"""Matter files: the shipped ones hold, and every mistake is told with its line."""

import pytest

from getihu.cases.matters.diagram import stages_diagram, states_diagram
from getihu.cases.matters.load import read_matter
from getihu.cases.selectors import get_matter, matter_catalogue

GOOD = """\
id: entry.example
title: 例子
measure: 2
summary: 一个例子
handler: {department: amr, level: county}
legal_basis: [行政许可法 第二十六条]
subjects: [individual]
started_by: owner
acceptance_clock: licence.correction_notice
stages:
  - {id: one, title: 一, handler: {department: amr, level: county}, clock: licence.decision}
  - {id: two, title: 二, handler: {department: amr, level: county}, clock: licence.issue, after: [one]}
result: {kind: licence, title: 证, article: 某条}
"""


def problems(text: str) -> list[tuple[int | None, str]]:
    matter, found = read_matter(text, "entry.example.yaml")
    assert matter is None
    return [(problem.line, str(problem)) for problem in found]


def test_the_shipped_matters_hold():
    assert {"entry.catering_opening", "entry.operator_change"} <= set(matter_catalogue())
    assert [d.id for d in get_matter("entry.catering_opening").to_bring] == [
        "layout",
        "safety_rules",
    ]


def test_the_example_is_good():
    assert read_matter(GOOD, "entry.example.yaml")[1] == []


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("measure: 2", "mesure: 2", 3, "是不是想写 measure"),
        ("clock: licence.decision", "clock: licence.decison", 11, "是不是想写 licence.decision"),
        ("clock: licence.decision", "clock: food.renewal_closes", 11, "倒算"),
        ("after: [one]", "after: [ones]", 12, "是不是想写 one"),
        ("after: [one]", "after: [two]", 12, "永远轮不到"),
        ("{id: two, title: 二", "{id: one, title: 二", 12, "写了两次"),
        ("handler: {department: amr, level: county}\nlegal", "legal", 1, "缺少"),
        ("  - {id: one", "  - {identity: one", 11, "缺少"),
        (
            "one, title: 一, handler: {department: amr",
            "one, title: 一, handler: {department: arm",
            11,
            "没有人承办",
        ),
        (", clock: licence.issue", "", 12, "缺少"),
        ("started_by: owner", "started_by: everybody", 8, "可以写"),
        ("title: 例子", "title: [", None, "YAML"),
    ],
)
def test_a_mistake_is_told_with_its_line(old, new, line, message):
    assert old in GOOD
    found = problems(GOOD.replace(old, new, 1))
    assert any(message in text and (line is None or at == line) for at, text in found), found


def test_silence_that_decides_wants_its_article(monkeypatch):
    from getihu.cases.clocks.terms import Silence
    from getihu.cases.matters import load

    real = load.statutory_terms()
    bare = real["licence.decision"].model_copy(
        update={"silence": next(s for s in Silence if s is not Silence.NONE), "silence_source": ""}
    )
    monkeypatch.setattr(load, "statutory_terms", lambda: {**real, "licence.decision": bare})
    assert any("默示后果没有条款" in text for _, text in problems(GOOD))


def test_pictures_are_generated_from_the_tables():
    picture = stages_diagram(get_matter("entry.catering_opening"))
    assert "accept --> fire" in picture
    assert "food --> issue" in picture
    assert "20个工作日" in picture
    assert "submitted --> correction: 一次告知补正" in states_diagram()
