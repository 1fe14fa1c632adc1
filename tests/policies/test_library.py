"""The policy library: readings made from rules, found by words, published as open data."""

import json
import re
from datetime import date
from pathlib import Path
from xml.etree import ElementTree as ET

import pyshacl
import pytest
from rdflib import Graph

from getihu.policies import selectors
from getihu.policies.library.documents import documents
from getihu.policies.library.reading import read_policy
from getihu.policies.selectors import LibraryFilter
from getihu.rulebook import selectors as rulebook
from tests.policies.conftest import operator
from tests.policies.test_pages import as_person
from tests.rulebook.texts import SMALL_SHOP, load

ON = date(2026, 10, 31)
SHAPES = Path(__file__).with_name("cpsv_ap.ttl")
SVG = "{http://www.w3.org/2000/svg}"


def find(**wanted) -> list[str]:
    return [each.id for each in selectors.find_policies(LibraryFilter(**wanted), ON)]


def test_every_rule_has_one_reading():
    readings = selectors.list_readings(ON)
    assert [each.id for each in readings if not each.title] == []
    assert sorted(each.id for each in readings) == sorted(rulebook.get_rulebook().ids)


def test_every_document_of_the_shipped_rules_is_on_file():
    cited = {rule.source.document for rule in rulebook.get_rulebook().rules}
    assert cited - set(documents()) == set()


def test_words_of_two_characters_find():
    found = find(text="贴息")
    assert found[0] == "policies.service_loan_interest_2025"
    assert "policies.income_tax_half" not in found
    assert find(text="退役 士兵")[0].startswith("policies.veteran")
    assert find(text="没有这样的词") == []
    assert find(text="参保人数")  # only in the conditions


def test_what_is_over_says_so():
    state = {each.id: each.state for each in selectors.list_readings(ON)}
    assert state["policies.vat_small_scale_2023"] == "superseded"
    assert state["policies.expansion_subsidy_2025"] == "ended"
    assert state["policies.income_tax_half"] == "in_force"
    before = {each.id: each.state for each in selectors.list_readings(date(2025, 12, 31))}
    assert before["policies.vat_small_scale_2023"] == "in_force"
    assert before["policies.vat_threshold_2026"] == "upcoming"
    assert "policies.vat_small_scale_2023" not in find(state="open")


def test_what_its_source_calls_old_is_not_shown_as_in_force():
    old = selectors.get_reading("policies.student_loan_zhejiang_2015", ON)
    assert (old.state, old.is_live) == ("doubtful", False)
    assert "旧政策" in old.state_note
    assert old.id not in find(state="open")
    assert old.id in find(state="doubtful")


LISTED = re.compile(r"[A-E]-\d\d")  # the blocks of the list of policies, not its test vectors


def test_the_demo_shows_at_least_thirty_policies_of_the_list_as_live():
    code_of = {rule.id: rule.code for rule in rulebook.get_rulebook().rules}
    found = selectors.find_policies(LibraryFilter(state="open"), ON)
    live = [each for each in found if each.is_here and LISTED.match(code_of[each.id] or "")]
    assert len(live) >= 30
    over = [each.id for each in live if each.last_day is not None and each.last_day < ON]
    assert over == []


def test_a_policy_of_a_wider_place_holds_in_a_county():
    found = find(region="330302")
    assert "policies.conversion_support_wenzhou" in found  # the city's
    assert "policies.startup_loan_ouhai_2022" not in found  # another county's
    assert "policies.income_tax_half" not in find(region="330302", kind="奖励")


def reading_of(folder, text):
    folder.mkdir()
    return read_policy(load(folder, text), ON)


def words_of(svg: bytes) -> str:
    return "".join(text.text or "" for text in ET.fromstring(svg).iter(f"{SVG}text"))


def test_a_threshold_that_moves_moves_the_reading_and_the_picture(tmp_path):
    before = reading_of(tmp_path / "a", SMALL_SHOP)
    after = reading_of(tmp_path / "b", SMALL_SHOP.replace("value: 300000", "value: 200000"))
    drawn = [
        words_of(selectors.draw_picture(each, address="https://x.test/"))
        for each in (before, after)
    ]
    assert "300,000 元" in drawn[0]
    assert "200,000 元" in drawn[1]
    assert "300,000" not in drawn[1]


def test_a_picture_holds_text_alone():
    for reading in selectors.list_readings(ON):
        root = ET.fromstring(selectors.draw_picture(reading, address="https://x.test/"))
        assert {each.tag.removeprefix(SVG) for each in root.iter()} == {
            "svg", "title", "desc", "g", "rect", "line", "text",
        }  # fmt: skip
        beyond = [
            text.text
            for text in root.iter(f"{SVG}text")
            if float(text.get("x")) + int(text.get("font-size")) * _ems(text.text) > 760
        ]
        assert beyond == [], reading.id


def _ems(text: str | None) -> float:
    return sum(1.0 if ord(c) > 0x2E80 else 0.58 for c in (text or ""))


# pyshacl 0.40 still uses a class that rdflib 7 calls old.
old_graphs = pytest.mark.filterwarnings("ignore:ConjunctiveGraph:DeprecationWarning")


def conforms(described: dict) -> tuple[bool, str]:
    graph = Graph().parse(data=json.dumps(described), format="json-ld")
    shapes = Graph().parse(SHAPES, format="turtle")
    good, _, report = pyshacl.validate(graph, shacl_graph=shapes)
    return good, report


@old_graphs
def test_the_open_data_conform_to_the_profile():
    readings = [(each, f"https://x.test/{each.id}/") for each in selectors.list_readings(ON)]
    good, report = conforms(selectors.describe_all(readings, page="https://x.test/"))
    assert good, report
    good, report = conforms(selectors.describe(readings[0][0], page="https://x.test/1/"))
    assert good, report


@old_graphs
@pytest.mark.parametrize(
    ("drop", "says"),
    [
        ("cv:hasCompetentAuthority", "政策缺主管机关"),
        ("cv:hasLegalResource", "政策缺依据"),
        ("dct:identifier", "政策缺标识"),
        ("dct:description", "政策缺说明"),
    ],
)
def test_the_shapes_refuse_what_lacks_something(drop, says):
    described = selectors.describe(selectors.list_readings(ON)[0], page="https://x.test/1/")
    described["@graph"][0].pop(drop)
    good, report = conforms(described)
    assert not good
    assert says in report


# the pages


pages = pytest.mark.django_db(transaction=True)


@pages
def test_everybody_reads_the_library(client, city):
    page = client.get("/policies/", {"text": "贴息"}).content.decode()
    assert "服务业经营主体贷款贴息" in page
    assert "个体工商户经营所得" not in page
    part = client.get("/policies/", {"text": "贴息"}, headers={"HX-Request": "true"})
    assert "<html" not in part.content.decode()
    one = client.get("/policies/policies.income_tax_half/").content.decode()
    assert "要满足什么" in one
    assert "国家税务总局温州市税务局" in one
    assert client.get("/policies/policies.none/").status_code == 404
    svg = client.get("/policies/policies.income_tax_half/picture.svg")
    assert svg["Content-Type"].startswith("image/svg+xml")
    feed = client.get("/policies/feed.atom").content.decode()
    assert "<feed" in feed
    assert json.loads(client.get("/policies/library.jsonld").content)["@graph"]


@pages
def test_only_she_sees_her_answers(client, city):
    code = (
        city.personas["employer"]
        if "employer" in city.personas
        else next(iter(city.personas.values()))
    )
    path = f"/policies/?trader={code}"
    assert client.get(path).status_code == 404
    as_person(client, operator("92330302MA2ABC001M"))
    assert client.get(path).status_code == 404
    as_person(client, operator(code))
    page = client.get(path).content.decode()
    assert "不符合" in page or "您能享受" in page
    assert re.search(rf'href="/traders/{code}/decisions/', page)
