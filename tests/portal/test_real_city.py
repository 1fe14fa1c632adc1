"""Pages and API on a small demo city that came in through the real door."""

import json
import re
from datetime import date

import pytest

from getihu.portal import selectors
from getihu.registry import selectors as registry
from getihu.rulebook import selectors as rulebook
from getihu.rulebook.contracts import SORTING_KINDS
from tests.portal.test_pages import text_of
from tests.real_city import made_city, real_city

__all__ = ["made_city", "real_city"]

pytestmark = pytest.mark.django_db

TYPES = {
    "surviving": "生存型",
    "growing": "成长型",
    "developing": "发展型",
    "suspended": "未纳入：歇业中",
    "not_reported": "未纳入：未报送上一年度年报",
    "converted": "未纳入：已转型为企业",
    "cancelled": "未纳入：已注销、吊销或撤销",
}


@pytest.mark.parametrize(("persona", "label"), TYPES.items(), ids=list(TYPES))
def test_each_planted_trader_sees_her_type(client, real_city, persona, label):
    response = client.get(f"/traders/{real_city.personas[persona]}/")
    assert response.status_code == 200
    assert f"{label}" in text_of(response)


def test_every_planted_trader_opens(client, real_city):
    for code in real_city.personas.values():
        assert client.get(f"/traders/{code}/").status_code == 200


@pytest.mark.parametrize("persona", ["growing", "held", "converted", "veteran"])
def test_every_line_opens_its_reasons(client, real_city, persona):
    html = client.get(f"/traders/{real_city.personas[persona]}/").content.decode()
    links = re.findall(r'href="(/traders/\w+/decisions/[^"]+)"', html)
    assert len(links) >= 10
    assert {client.get(link).status_code for link in links} == {200}


def test_a_trader_one_thing_below_a_type_is_told_so(real_city):
    page = selectors.get_trader_page(real_city.personas["near"])
    assert page.type_hint.startswith("离成长型差一步")
    assert "300,000" in page.type_hint


def test_a_held_record_makes_the_answer_unknown_and_names_the_department(client, real_city):
    shown = text_of(client.get(f"/traders/{real_city.personas['held']}/"))
    assert "还不能判断" in shown
    assert "税务局" in shown


def test_longgang_has_no_town(client, real_city):
    trader = registry.get_trader(real_city.personas["longgang"])
    assert (trader.county_name, trader.town_name) == ("龙港市", None)


def test_search_finds_by_part_of_a_name_and_by_the_start_of_a_code(real_city):
    trader = registry.get_trader(real_city.personas["growing"])
    assert trader in registry.search_traders(trader.name)
    assert registry.search_traders(trader.trader_code)[0] == trader
    assert trader in registry.search_traders(trader.trader_code[:14].lower())


@pytest.mark.parametrize("text", ["%", "_", "9%", "'; drop table x; --", "", "  "])
def test_search_takes_no_pattern_and_no_sql(real_city, text):
    assert registry.search_traders(text) == []


def test_search_gives_no_more_than_asked(real_city):
    assert len(registry.search_traders("92", limit=7)) == 7


def test_a_date_before_the_data_is_a_page_that_says_from_when(client, real_city):
    code = real_city.personas["growing"]
    response = client.get(f"/traders/{code}/", {"as_of": "2001-01-01"})
    assert response.status_code == 404
    assert "早于数据" in text_of(response)


def test_another_date_shows_the_facts_of_that_date(client, real_city):
    code = real_city.personas["cancelled"]
    before = client.get(f"/traders/{code}/", {"as_of": "2026-08-31"})
    assert before.status_code == 200
    assert "未纳入：已注销" not in text_of(before)


def test_an_unknown_rule_is_not_found_and_names_the_nearest(client, real_city):
    response = client.get("/rules/growth.trader_typ/")
    assert response.status_code == 404
    assert "growth.trader_type" in text_of(response)


def test_every_rule_has_a_page(client, real_city):
    for rule in rulebook.list_rules():
        assert client.get(f"/rules/{rule.id}/").status_code == 200


def test_facts_list_every_declared_fact(client, real_city):
    names = [line.fact.name for group in selectors.list_fact_groups() for line in group.lines]
    assert len(names) >= 60
    assert all(name in client.get("/facts/").content.decode() for name in names)


def test_the_data_page_balances(real_city):
    page = selectors.get_data_page(datetime_after(real_city.as_of))
    assert page.balance.holds
    assert page.balance.quarantined > 0
    assert page.deliveries[0].status in ("held", "rejected")


def datetime_after(day: date):
    from datetime import UTC, datetime

    return datetime(day.year, day.month + 1, 6, tzinfo=UTC)


def test_every_quarantine_list_opens_and_downloads(client, real_city):
    page = selectors.get_data_page(datetime_after(real_city.as_of))
    for delivery_id in {count.delivery_id for count in page.quarantine}:
        path = f"/data/deliveries/{delivery_id}/quarantine"
        assert client.get(f"{path}/").status_code == 200
        assert client.get(f"{path}.csv").content.startswith(b"\xef\xbb\xbf")


def test_the_api_and_the_page_give_the_same_answers(client, real_city):
    code = real_city.personas["growing"]
    told = client.get(f"/api/traders/{code}/explanation").json()
    page = selectors.get_trader_page(code)
    assert told["type_decision"]["outcome_label"] == page.type_decision.outcome_label
    assert told["snapshot_id"] == page.snapshot_id
    shown = [*page.granted, *page.near, *page.unknown, *page.unread, *page.refused, *page.left_out]
    on_page = {line.decision.rule_id: line.decision.outcome for line in shown}
    told_of = {d["rule_id"]: d["outcome"] for d in told["policies"]}
    assert {name: told_of[name] for name in on_page} == on_page
    sorting = {r for r in told_of if rulebook.get_rule(r).benefit_kind in SORTING_KINDS}
    not_shown = told_of.keys() - on_page.keys() - sorting
    assert sorting and not sorting & on_page.keys()
    assert len(not_shown) == page.elsewhere
    assert {told_of[name] for name in not_shown} == {"not_applicable"}


@pytest.mark.parametrize("path", ["deliveries", "feeds", "snapshots", "quarantine", "rules"])
def test_every_list_of_the_api_answers(client, real_city, path):
    assert len(client.get(f"/api/{path}").json()) >= 1


def test_the_trader_s_changes_over_the_api(client, real_city):
    for code in real_city.personas.values():
        response = client.get(f"/api/traders/{code}/changes")
        assert response.status_code == 200
        assert json.loads(response.content) == sorted(
            response.json(), key=lambda change: change["changed_on"], reverse=True
        )


def test_pages_ask_the_database_little(client, real_city, django_assert_max_num_queries):
    code = real_city.personas["growing"]
    client.get(f"/traders/{code}/")
    with django_assert_max_num_queries(12):
        client.get(f"/traders/{code}/")
    with django_assert_max_num_queries(30):
        client.get("/data/")


def test_an_officer_of_a_county_finds_only_what_lies_there(real_city):
    found = registry.search_traders("92", limit=2000)
    county = found[0].county_code
    there = [trader for trader in found if trader.county_code == county]
    assert 0 < len(there) < len(found)
    assert registry.search_traders("92", limit=2000, within=[county]) == there
    assert registry.search_traders("92", limit=2000, within=[]) == []
    towns = {trader.town_code for trader in there if trader.town_code}
    town = sorted(towns)[0]
    assert {t.town_code for t in registry.search_traders("92", within=[town])} == {town}
