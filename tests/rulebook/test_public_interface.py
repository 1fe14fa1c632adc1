"""Selectors, services and API on rule files and a facts table of the test's own."""

import json
from datetime import date

import duckdb
import pytest

from getihu.dataplane import selectors as dataplane
from getihu.kernel.errors import InvalidInput
from getihu.rulebook import selectors, services
from tests.rulebook.catalogue import CATALOGUE
from tests.rulebook.texts import RULE_ID, SIZE_TABLE, SMALL_SHOP, write
from tests.rulebook.traders import AS_OF, CODE, trader

SNAPSHOT = "s0123456789ab"
TYPES = {
    "boolean": "BOOLEAN",
    "integer": "BIGINT",
    "money": "DECIMAL(18,2)",
    "decimal": "DECIMAL(18,4)",
    "date": "DATE",
}
CASES = """\
cases:
  - name: 税务没有数据
    as_of: 2026-10-31
    facts: {}
    expect: unknown
"""


@pytest.fixture
def rules(tmp_path, settings, monkeypatch, db):
    """Two rules with cases, one of them the type rule; a facts table of three traders."""
    folder = tmp_path / "rules"
    folder.mkdir()
    for text in (SMALL_SHOP, SIZE_TABLE):
        path = write(folder, text)
        path.with_name(path.stem + ".cases.yaml").write_text(CASES, "utf-8")
    settings.RULE_DIRS = [folder]
    settings.DATA_DIR = tmp_path
    facts = {
        "fact_catalogue": lambda: CATALOGUE,
        "facts_path": lambda as_of, snapshot_id=None: facts_file(tmp_path),
        "get_trader_facts": lambda code, as_of, snapshot_id=None: trader(as_of=as_of),
        "get_published_snapshot": lambda: Published,
        "engine": lambda: duckdb.connect(),
    }
    for name, function in facts.items():
        monkeypatch.setattr(dataplane, name, function, raising=False)
    monkeypatch.setattr(selectors, "TYPE_RULE_ID", "tests.size")
    return folder


class Published:
    snapshot_id = SNAPSHOT
    data_until = AS_OF


def facts_file(folder):
    path = folder / "facts.parquet"
    columns = ", ".join(
        f'CAST(NULL AS {TYPES.get(fact.type.value, "VARCHAR")}) AS "{name}"'
        for name, fact in CATALOGUE.items()
    )
    known = (
        "SELECT * REPLACE (code AS trader_code, county AS county_code, "
        "'individual' AS subject_kind, 'active' AS registration_status, sales::DECIMAL(18,2) AS "
        "annual_sales_yuan, DATE '2020-05-05' AS established_on, 2::BIGINT AS insured_employees) "
        f"FROM (SELECT NULL AS trader_code, {columns}), "
        "(VALUES ('A', '330302', 1000), ('B', '330302', NULL), ('C', '440310', 1000)) "
        "AS t(code, county, sales)"
    )
    with duckdb.connect() as connection:
        connection.execute(
            f"COPY (SELECT * EXCLUDE (code, county, sales) FROM ({known})) TO '{path}'"
        )
    return path


def test_a_sweep_writes_one_row_per_trader_and_counts_them(rules):
    report = services.sweep(as_of=AS_OF)
    assert (report.traders, report.snapshot_id) == (3, SNAPSHOT)
    assert report.counts[RULE_ID] == {"not_applicable": 1, "unknown": 1, "yes": 1}
    with duckdb.connect() as connection:
        path = selectors.decisions_path(AS_OF, SNAPSHOT)
        rows = connection.execute(f"SELECT * FROM '{path}' ORDER BY 1").fetchall()
    assert [(row[0], row[2]) for row in rows] == [("A", "yes"), ("B", "unknown"), ("C", None)]


def test_a_sweep_is_counted_for_its_date_only(rules):
    services.sweep(as_of=AS_OF)
    assert selectors.sweep_counts(AS_OF)[RULE_ID]["yes"] == 1
    with pytest.raises(selectors.NotSwept):
        selectors.sweep_counts(date(2026, 9, 30))


def test_the_same_sweep_gives_the_same_bytes(rules):
    path = selectors.decisions_path(AS_OF, SNAPSHOT)
    services.sweep(as_of=AS_OF)
    first = path.read_bytes()
    services.sweep(as_of=AS_OF)
    assert path.read_bytes() == first
    assert sorted(p.suffix for p in path.parent.iterdir()) == [".json", ".parquet"]


def test_a_broken_rule_stops_the_sweep_before_anything_is_written(rules):
    write(rules, SMALL_SHOP.replace("'active'", "'actve'"))
    with pytest.raises(InvalidInput) as error:
        services.sweep(as_of=AS_OF)
    assert f"{RULE_ID}.yaml:24:" in str(error.value)
    assert not selectors.decisions_path(AS_OF, SNAPSHOT).parent.exists()


def test_a_changed_file_is_read_again(rules):
    before = selectors.get_rule(RULE_ID).version
    write(rules, SMALL_SHOP.replace("300000", "310000"))
    assert selectors.get_rule(RULE_ID).version != before


def test_an_unknown_rule_names_the_nearest(rules):
    with pytest.raises(selectors.UnknownRule, match=r"tests\.small_shop"):
        selectors.get_rule("tests.smallshop")


def test_the_list_tells_how_many_clauses_and_cases(rules):
    listed = {rule.id: (rule.clause_count, rule.case_count) for rule in selectors.list_rules()}
    assert listed == {RULE_ID: (4, 1), "tests.size": (3, 1)}


def test_check_rules_finds_problems_of_rules_and_cases(rules):
    assert services.check_rules([rules]) == []
    (rules / f"{RULE_ID}.cases.yaml").write_text(CASES.replace("expect", "expekt"), "utf-8")
    write(rules, SIZE_TABLE.replace("value: middle", "value: midle"))
    found = services.check_rules([rules])
    assert {p.file.rsplit("/", 1)[1] for p in found} == {
        f"{RULE_ID}.cases.yaml",
        "tests.size.yaml",
    }


def test_run_cases_runs_the_cases_beside_the_rule(rules):
    assert [(r.name, r.passed) for r in services.run_cases(RULE_ID)] == [("税务没有数据", True)]


def test_an_explanation_has_the_type_first_and_the_rest_as_policies(rules):
    explanation = selectors.explain_trader(CODE)
    assert explanation.as_of == AS_OF
    assert explanation.type_decision.rule_id == "tests.size"
    assert [d.rule_id for d in explanation.policies] == [RULE_ID]


def test_the_sweep_and_the_explanation_agree(rules):
    services.sweep(as_of=AS_OF)
    assert selectors.explain_rule(CODE, RULE_ID).outcome == "yes"


def test_the_api_lists_rules(rules, client):
    answer = client.get("/api/rules")
    assert [rule["id"] for rule in answer.json()] == ["tests.size", RULE_ID]


def test_the_api_shows_a_rule_as_it_is_written(rules, client):
    shown = client.get(f"/api/rules/{RULE_ID}").json()
    assert shown["requires"] == {
        "all_of": ["is_active", {"any_of": ["is_small", "has_paid_tax"]}, "is_settled"]
    }
    assert shown["parameters"][1]["is_official"] is False


def test_the_api_gives_the_canonical_bytes_of_a_decision(rules, client):
    code = "92330302MA0000000G"
    answer = client.get(f"/api/traders/{code}/decisions/{RULE_ID}?as_of=2026-10-31")
    wanted = selectors.canonical_json(selectors.explain_rule(code, RULE_ID, as_of=AS_OF))
    assert answer.content == wanted
    assert json.loads(answer.content)["outcome"] == "yes"
