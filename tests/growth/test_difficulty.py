"""The early-warning list: for help, never for sanction (方案 第14条; 二（四）)."""

import ast
from pathlib import Path

import yaml

from getihu.growth import selectors as growth
from getihu.rulebook import selectors as rulebook

SRC = Path(growth.__file__).parents[2]
RULE = "growth.in_difficulty"


def test_nothing_that_inspects_or_grades_reads_it():
    """No file of supervision or passport names the rule or the pool, and none imports growth."""
    for package in ("supervision", "passport", "entry"):
        for path in (SRC / package).rglob("*"):
            if path.suffix not in (".py", ".yaml", ".html"):
                continue
            text = path.read_text("utf-8")
            assert RULE not in text, path
            if path.suffix == ".py":
                imported = {
                    node.module or ""
                    for node in ast.walk(ast.parse(text))
                    if isinstance(node, ast.ImportFrom)
                }
                assert not {each for each in imported if each.startswith("getihu.growth")}, path


def test_it_is_no_fact_that_another_rule_could_decide_by():
    for rule in rulebook.get_rulebook().rules:
        named = {fact for clause in rule.clauses for fact in (clause.facts or ())}
        assert not {each for each in named if "difficulty" in each}, rule.id


def test_inspectors_and_banks_see_no_pool():
    rows = yaml.safe_load((SRC / "access" / "policy.yaml").read_text("utf-8"))
    shown = [row for row in rows if "pool" in row["route"]]
    assert len(shown) > 5
    for row in shown:
        assert not {"role:inspector", "role:bank_clerk"} & set(row["who"]), row["route"]


def test_only_numbers_are_published():
    pool = growth.get_pool("difficulty")
    assert pool.publishes == "counts" and pool.admission.rule == RULE
