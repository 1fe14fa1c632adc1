"""The pages of monitoring: everybody's, with definitions, without rankings."""

import csv
import io
import re

import pytest

from getihu.insight import selectors

pytestmark = pytest.mark.django_db


def test_the_board_shows_every_target_and_indicator(client, measured):
    page = client.get("/insight/").content.decode()
    for each in selectors.list_indicators():
        assert f"/insight/{each.id}/" in page
    assert "没有达到" in page and "还没有数据" in page


def test_every_indicator_has_a_page_with_its_definition_and_how_to_make_it_again(client, measured):
    for each in selectors.list_indicators():
        page = client.get(f"/insight/{each.id}/").content.decode()
        assert each.title in page and each.not_for in page
        figures = selectors.list_figures(each.id)
        assert not figures or f"indicator rerun {figures[-1].digest}" in page


def test_no_page_sets_counties_side_by_side_in_what_the_law_names(client, measured):
    for each in selectors.list_indicators():
        page = client.get(f"/insight/{each.id}/").content.decode()
        assert ("各县（市、区）</h2>" in page) <= (not each.watch_only), each.id


def test_one_county_alone_and_a_county_that_is_none(client, measured):
    assert "鹿城区" in client.get("/insight/vitality.registered/?county=330302").content.decode()
    assert client.get("/insight/vitality.registered/?county=110101").status_code == 404
    assert client.get("/insight/vitality.nothing/").status_code == 404


def test_the_file_carries_version_and_digest_on_every_line(client, measured):
    answer = client.get("/insight/vitality.activity/figures.csv")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert len(rows) == len(selectors.list_figures("vitality.activity")) > 3
    assert all(re.fullmatch("[0-9a-f]{64}", row["摘要"]) and row["版本"] == "1" for row in rows)


def test_the_measures_are_26_in_five_systems_with_their_agencies(client, measured):
    measures = selectors.list_measures()
    assert [each.number for each in measures] == list(range(1, 27))
    assert len({each.system for each in measures}) == 5 and all(each.agencies for each in measures)
    page = client.get("/insight/measures/").content.decode()
    assert all(each.title in page for each in measures)


def test_before_anything_is_measured_the_board_says_so(client, real_city):
    assert "还没有数据" in client.get("/insight/").content.decode()
