"""The pages of policies on the small demo city: text, rule and numbers; what-ifs; drafts; drift."""

import csv
import io
import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from getihu.portal.policies import pages
from getihu.rulebook import selectors as rulebook
from getihu.rulebook import services
from getihu.rulebook.contracts import RuleChange
from tests.portal.test_pages import text_of
from tests.real_city import made_city, real_city

__all__ = ["made_city", "real_city"]
pytestmark = pytest.mark.django_db

TYPE = "/rules/growth.trader_type/"
TAX = "/rules/policies.six_taxes_half/"
LOWER = {"set.growing_sales_yuan": "200000"}


@pytest.fixture
def scenario(real_city):
    change = [RuleChange("parameter", "growing_sales_yuan", "200000")]
    at = datetime(2026, 11, 6, tzinfo=UTC)
    return services.keep_scenario("growth.trader_type", change, title="降到20万", at=at)


@pytest.fixture
def report(real_city, tmp_path):
    """A drift report between the shipped types and a file with another threshold."""
    shipped = Path(rulebook.get_rule("growth.trader_type").file).read_text("utf-8")
    path = tmp_path / "growth.trader_type.yaml"
    path.write_text(shipped.replace("value: 300000", "value: 200000"), "utf-8")
    at = datetime(2026, 11, 6, tzinfo=UTC)
    return services.make_drift_report("growth.trader_type", str(path), at=at)


def addresses(scenario, report) -> list[str]:
    return [
        "/rules/",
        TYPE,
        TAX,
        f"{TYPE}what-if/?set.growing_sales_yuan=200000",
        f"{TYPE}draft/?set.growing_sales_yuan=200000&valid_from=2027-01-01",
        f"{TYPE}drift/{report.key}/",
        "/scenarios/",
        f"/scenarios/?compare={scenario.number}",
        f"/scenarios/{scenario.number}/",
    ]


def test_every_page_keeps_the_strict_policy_and_writes_nothing_inline(client, scenario, report):
    for address in addresses(scenario, report):
        response = client.get(address)
        assert response.status_code == 200, address
        assert "unsafe" not in response.headers["Content-Security-Policy"]
        html = response.content.decode()
        assert re.findall(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", html) == []


def test_pages_that_only_show_refuse_to_be_written_to(client, scenario, report):
    for address in addresses(scenario, report):
        assert client.post(address).status_code == 405, address


def test_text_rule_and_numbers_stand_beside_each_other(client, real_city):
    shown = text_of(client.get(TAX))
    numbers = rulebook.get_rule_numbers("policies.six_taxes_half")
    rule = rulebook.get_rule("policies.six_taxes_half")
    assert numbers.counts["yes"] > 0
    for words in (rule.source.document, rule.clauses[0].label, f"{numbers.counts['yes']:,}"):
        assert words.replace(" ", "") in shown
    assert all(part.label in shown for part in numbers.parts["county"])
    assert f"送来数据，{numbers.missing[0].traders:,}户可以判定" in shown


def test_one_step_away_is_counted_and_placed_at_its_clause(client, real_city):
    numbers = rulebook.get_rule_numbers("growth.trader_type")
    shown = text_of(client.get(TYPE))
    assert numbers.near > 0
    assert f"{numbers.near:,}户只差一个" in shown
    alone = max(clause.alone for clause in numbers.clauses if clause.can_change)
    assert f"只差这一条{alone:,}户" in shown


def test_a_table_shows_one_of_its_values_at_a_time(client, real_city):
    numbers = rulebook.get_rule_numbers("growth.trader_type")
    for value in ("growing", "surviving"):
        page = pages.get_policy_page("growth.trader_type", outcome=value)
        assert page.count == numbers.counts[value]
        assert sum(cell.count for cell in page.counties) <= page.count
    assert "生存型的，在哪里" in text_of(client.get(TYPE, {"outcome": "surviving"}))


def test_an_outcome_the_rule_does_not_have_is_ignored(client, real_city):
    assert pages.get_policy_page("growth.trader_type", outcome="<b>").outcome == "growing"
    assert client.get(TYPE, {"outcome": "<b>"}).status_code == 200


def test_an_outcome_never_names_a_file(client, real_city):
    before = {path.name for path in real_city.folder.rglob("*curves*")}
    response = client.get(f"{TYPE}curves.json", {"outcome": "../../../escaped"})
    assert response.json() == client.get(f"{TYPE}curves.json").json()
    new = {path.name for path in real_city.folder.rglob("*curves*")} - before
    assert all("escaped" not in name for name in new)
    asked = client.get(f"{TYPE}what-if/", {**LOWER, "outcome": "../x"})
    assert asked.status_code == 200


def test_nobody_is_ranked(real_city):
    page = pages.get_policy_page("policies.six_taxes_half")
    assert [cell.code for cell in page.counties] == sorted(cell.code for cell in page.counties)
    assert [cell.code for cell in page.trades] == sorted(cell.code for cell in page.trades)


def test_a_date_without_facts_says_so_and_still_shows_the_rule(client, real_city):
    response = client.get(TAX, {"as_of": "2026-09-30"})
    assert response.status_code == 200
    assert "还没有这一天的判定" in text_of(response)
    assert "getihudecide" in text_of(response)
    assert client.get(TAX, {"as_of": "gestern"}).status_code == 400


def test_without_any_data_the_rules_can_still_be_read(client, db):
    assert "还没有这一天的判定" in text_of(client.get(TAX))
    assert client.get("/rules/").status_code == 200
    assert client.get(f"{TAX}curves.json").status_code == 404


def test_the_list_is_filtered_and_exported(client, real_city):
    found = client.get("/rules/", {"text": "六税两费 E-02"})
    assert "找到1条" in text_of(found)
    assert "增值税起征点" not in text_of(found)
    lines = list(
        csv.reader(io.StringIO(client.get("/rules/export.csv").content.decode("utf-8-sig")))
    )
    assert len(lines) - 1 == len(rulebook.list_rules())
    asked = client.get("/rules/export.csv", {"text": "六税两费 E-02"}).content.decode("utf-8-sig")
    assert len(asked.splitlines()) == 2


def test_a_filter_that_finds_nothing_leads_back(client, real_city):
    shown = text_of(client.get("/rules/", {"text": "火星"}))
    assert "没有这样的规则" in shown
    assert "看全部" in shown


def test_the_list_answers_a_fragment_to_htmx(client, real_city):
    response = client.get("/rules/", {"text": "退役 依次"}, HTTP_HX_REQUEST="true")
    assert "<html" not in response.content.decode()
    assert "找到1条" in text_of(response)


def test_the_numbers_are_exported_as_they_are_shown(client, real_city):
    lines = csv.DictReader(io.StringIO(client.get(f"{TAX}numbers.csv").content.decode("utf-8-sig")))
    rows = list(lines)
    numbers = rulebook.get_rule_numbers("policies.six_taxes_half")
    whole = {row["结果"]: int(row["户数"]) for row in rows if row["分组"] == "全市"}
    assert whole["符合"] == numbers.counts["yes"]
    counties = [row for row in rows if row["分组"] == "县（市、区）" and row["结果"] == "符合"]
    assert sum(int(row["户数"]) for row in counties) == numbers.counts["yes"]


def test_cells_of_a_few_people_are_not_in_the_export(client, real_city):
    content = client.get("/rules/policies.veteran_startup/numbers.csv").content.decode("utf-8-sig")
    rows = [
        row
        for row in csv.DictReader(io.StringIO(content))
        if row["分组"] in ("县（市、区）", "行业门类", "类型")
    ]
    said = [row["户数"] for row in rows]
    assert "不单列" in said
    assert not {"1", "2", "3", "4"} & set(said)


def test_the_curves_are_small_and_hold_what_the_page_shows(client, real_city):
    response = client.get(f"{TYPE}curves.json", {"outcome": "growing"})
    assert len(response.content) < 60_000
    found = {each["name"]: each for each in response.json()["parameters"]}
    curve = found["growing_sales_yuan"]
    numbers = rulebook.get_rule_numbers("growth.trader_type")
    assert curve["values"][curve["at"]] == "300000"
    assert curve["counts"][curve["at"]] == numbers.counts["growing"]
    assert "max-age" in response.headers["Cache-Control"]


def test_without_scripts_the_form_gives_the_same_number(client, real_city):
    curve = next(
        c
        for c in rulebook.list_curves("growth.trader_type", outcome="growing")
        if c.name == "growing_sales_yuan"
    )
    response = client.get(f"{TYPE}what-if/", LOWER)
    made = response.context["comparison"].made
    assert made.after_counts["growing"] == curve.counts[curve.values.index("200000")]
    assert f"变动{made.moved:,}户" in text_of(response)


def test_fields_left_as_they_are_are_no_changes(real_city):
    page = pages.get_policy_page("growth.trader_type")
    asked = {
        f"set.{parameter.name}": [parameter.typed]
        for clause in page.clauses
        for parameter in clause.parameters
    } | {f"clause.{clause.id}": [clause.expression] for clause in page.clauses}
    assert len(asked) > 20
    assert pages.changes_asked("growth.trader_type", asked) == []
    asked["set.growing_sales_yuan"] = ["200,000"]
    assert pages.changes_asked("growth.trader_type", asked) == [
        RuleChange("parameter", "growing_sales_yuan", "200,000")
    ]


def test_a_clause_can_be_rewritten_or_left_out(client, real_city):
    response = client.get(
        f"{TYPE}what-if/", {"clause.is_stable": "registered_months >= stable_months + 12"}
    )
    assert response.context["comparison"].made.moved > 0
    response = client.get(f"{TYPE}what-if/", {"drop": "has_some_sales"})
    assert response.context["comparison"].made.moved > 0


def test_a_change_that_cannot_be_made_is_explained_beside_the_form(client, real_city):
    response = client.get(f"{TYPE}what-if/", {"clause.is_stable": "registerd_months > 3"})
    assert response.status_code == 422
    assert "registered_months" in text_of(response)
    assert "registerd_months&gt;3" in text_of(response)
    assert client.get(f"{TYPE}what-if/", {"set.nothing": "3"}).status_code == 404


def test_a_scenario_is_kept_compared_and_forgotten(client, real_city):
    kept = client.post(f"{TYPE}scenarios/", {**LOWER, "title": "降到20万"}, follow=True)
    assert "降到20万" in text_of(kept)
    other = client.post(
        f"{TYPE}scenarios/", {"set.stable_months": "24", "title": "两年"}, follow=True
    )
    numbers = [s.number for s in rulebook.list_scenarios()]
    beside = client.get("/scenarios/", {"compare": numbers})
    assert len(beside.context["compared"]) == 2
    assert other.context["scenario"].number == numbers[0]
    client.post(f"/scenarios/{numbers[0]}/remove/")
    assert client.get(f"/scenarios/{numbers[0]}/").status_code == 404
    assert client.post(f"{TYPE}scenarios/", LOWER).status_code == 400
    assert "还没有改动" in text_of(client.post(f"{TYPE}scenarios/", {"title": "空"}))


def test_a_scenario_of_an_older_version_says_so(client, scenario, monkeypatch):
    assert "规则后来改过" not in text_of(client.get(f"/scenarios/{scenario.number}/"))
    rule = rulebook.get_rule("growth.trader_type")
    monkeypatch.setattr(
        rulebook, "get_rule", lambda rule_id, as_of=None: _with_version(rule, "ffffffffffff")
    )
    assert "规则后来改过" in text_of(client.get(f"/scenarios/{scenario.number}/"))


def _with_version(rule, version):
    from dataclasses import replace

    return replace(rule, version=version)


def test_one_action_makes_a_draft_that_passes_the_checks(client, real_city, tmp_path):
    asked = {**LOWER, "valid_from": "2027-01-01"}
    for part in ("rule", "cases"):
        response = client.get(f"{TYPE}draft/", {**asked, "file": part})
        name = re.search(r'filename="(.+)"', response.headers["Content-Disposition"])[1]
        (tmp_path / name).write_bytes(response.content)
    assert services.check_rules([tmp_path]) == []
    assert client.get(f"{TYPE}draft/", LOWER).status_code == 400
    assert client.get(f"{TYPE}draft/", {"valid_from": "2027-01-01"}).status_code == 400


def test_a_drift_report_is_a_page_and_says_that_nobody_is_recorded(client, report):
    shown = text_of(client.get(f"{TYPE}drift/{report.key}/"))
    assert f"变动{report.comparison.moved:,}户" in shown
    assert "不记录谁在什么时候批准" in shown
    assert report.key in client.get(TYPE).content.decode()


def test_the_api_gives_what_the_pages_give(client, scenario, report):
    numbers = client.get("/api/rules/growth.trader_type/numbers").json()
    page = pages.get_policy_page("growth.trader_type")
    assert numbers["counts"] == page.numbers.counts
    assert len(client.get("/api/rules/growth.trader_type/curves").json()) == 10
    asked = {"changes": [{"kind": "parameter", "name": "growing_sales_yuan", "value": "200000"}]}

    def post(path, body):
        return client.post(path, json.dumps(body), content_type="application/json")

    made = post("/api/rules/growth.trader_type/what-if", asked).json()
    assert made["moves"] == [list(move) for move in scenario.comparison.moves]
    draft = post(
        "/api/rules/growth.trader_type/draft", {**asked, "valid_from": "2027-01-01"}
    ).json()
    assert "本项目设定，非官方；草案待定，原为 300000" in draft["text"]
    kept = post("/api/rules/growth.trader_type/scenarios", {**asked, "title": "一"}).json()
    assert client.get(f"/api/scenarios/{kept['number']}").json() == kept
    assert [s["number"] for s in client.get("/api/scenarios").json()] == [
        kept["number"],
        scenario.number,
    ]
    versions = client.get("/api/rules/growth.trader_type/versions").json()
    assert versions[0]["version"] == page.summary.version
    assert client.get("/api/rules/growth.trader_type/drift-reports").json()[0]["key"] == report.key
    assert client.get(f"/api/drift-reports/{report.key}").json()["comparison"]["rule_id"]
    listed = client.get("/api/rules", {"text": "六税两费 E-02"}).json()
    assert [rule["id"] for rule in listed] == ["policies.six_taxes_half"]


def test_the_api_refuses_in_words(client, real_city):
    wrong = {"changes": [{"kind": "clause", "name": "is_stable", "value": "registerd_months > 3"}]}
    path = "/api/rules/growth.trader_type/what-if"
    answer = client.post(path, json.dumps(wrong), content_type="application/json")
    assert answer.status_code == 422
    assert "registered_months" in answer.json()["why"]
    kept = client.post(
        "/api/rules/growth.trader_type/scenarios",
        json.dumps({**wrong, "title": "一"}),
        content_type="text/plain",
    )
    assert kept.status_code == 415


def test_a_rule_about_what_happened_says_who_fills_it_in_and_by_what_words(client, real_city):
    shown = text_of(client.get("/rules/supervision.first_breach_loose_food/"))
    assert "由办案人员逐件填写，不按户统计" in shown
    assert "缺的是：以前有过同类违法" in shown
    assert "ever_same_breach、" not in shown


def test_the_list_puts_what_holds_here_first(real_city):
    groups = {
        title: {line.rule.id for line in lines} for title, lines in pages.get_list_page().groups
    }
    assert list(groups) == [*pages.SLICES.values(), pages.ENDED, pages.ELSEWHERE]
    assert "policies.income_tax_half" in groups["政策"]
    assert "policies.vat_small_scale_2023" in groups[pages.ENDED]
    assert "policies.conversion_reward_pingshan" in groups[pages.ELSEWHERE]
    assert all(
        rule_id.startswith("supervision.") for rule_id in groups["执法裁量与信用（办案时判断）"]
    )
