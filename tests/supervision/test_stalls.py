"""May I stand here now: zones, hours past midnight, goods, schools, and what is not known."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from getihu.kernel.errors import InvalidInput
from getihu.supervision import selectors
from getihu.supervision.catalogue.zones import Hours, Zone, get_zone, list_zones

pytestmark = pytest.mark.django_db
CITY = ZoneInfo("Asia/Shanghai")
NIGHT, MORNING = "demo_wuma_night", "demo_school_morning"
FRIDAY = datetime(2026, 11, 6, 19, 0, tzinfo=CITY)


@pytest.mark.parametrize(
    ("at", "open_"),
    [
        (FRIDAY, True),
        (FRIDAY.replace(hour=17, minute=59), False),
        (FRIDAY.replace(hour=18, minute=0), True),
        (datetime(2026, 11, 7, 0, 29, tzinfo=CITY), True),  # Saturday, still Friday's market
        (datetime(2026, 11, 9, 0, 29, tzinfo=CITY), True),  # Monday, still Sunday's
        (datetime(2026, 11, 9, 0, 30, tzinfo=CITY), False),
        (datetime(2026, 11, 8, 0, 10, tzinfo=CITY), True),  # Sunday: Saturday's, not yet its own
        (datetime(2026, 11, 6, 0, 10, tzinfo=CITY), False),  # Friday morning: no Thursday market
        (datetime(2026, 11, 9, 19, 0, tzinfo=CITY), False),  # Monday evening
    ],
)
def test_hours_of_a_night_market_go_past_midnight(at, open_):
    assert get_zone(NIGHT).is_open(at) is open_
    assert selectors.may_stand(NIGHT, "crafts", at).allowed is open_


def test_when_only_time_is_missing_the_next_time_is_said():
    answer = selectors.may_stand(NIGHT, "food", datetime(2026, 11, 9, 19, 0, tzinfo=CITY))
    assert (answer.allowed, answer.next_at) == (False, datetime(2026, 11, 13, 18, 0, tzinfo=CITY))
    assert selectors.may_stand(NIGHT, "food", answer.next_at).allowed is True


def test_what_a_zone_is_not_for_is_at_no_time_allowed():
    answer = selectors.may_stand(NIGHT, "farm", FRIDAY)
    assert (answer.allowed, answer.next_at) == (False, None)
    assert any("不能卖自产的农产品" in reason for reason, _ in answer.reasons)


def test_food_near_a_school_is_not_and_other_goods_are():
    at = datetime(2026, 11, 6, 6, 0, tzinfo=CITY)
    food = selectors.may_stand(MORNING, "food", at)
    assert (food.allowed, food.next_at) == (False, None)
    assert any("第十四条第二款" in source for _, source in food.reasons)
    assert selectors.may_stand(MORNING, "farm", at).allowed is True


def test_a_school_nobody_has_looked_for_leaves_it_open(settings, tmp_path):
    text = (selectors_folder() / f"{NIGHT}.yaml").read_text("utf-8")
    (tmp_path / f"{NIGHT}.yaml").write_text(text.replace("near_school: false\n", ""), "utf-8")
    settings.STALL_ZONE_DIRS = [tmp_path]
    assert selectors.may_stand(NIGHT, "food", FRIDAY).allowed is None
    assert selectors.may_stand(NIGHT, "food", FRIDAY, near_school=False).allowed is True
    assert selectors.may_stand(NIGHT, "food", FRIDAY, near_school=True).allowed is False
    assert selectors.may_stand(NIGHT, "crafts", FRIDAY).allowed is True


def selectors_folder():
    from django.conf import settings

    return settings.STALL_ZONE_DIRS[0]


def test_outside_every_zone_it_is_not_allowed_and_says_by_which_article():
    answer = selectors.may_stand("", "crafts", FRIDAY)
    assert (answer.allowed, answer.next_at) == (False, None)
    assert "第二十一条" in answer.reasons[0][1]


def test_a_day_on_which_the_market_is_closed():
    day = get_zone(NIGHT).closed_on[0]
    at = datetime.combine(day, datetime.min.time(), CITY) + timedelta(hours=19)
    assert selectors.may_stand(NIGHT, "crafts", at).allowed is False
    assert not get_zone(NIGHT).is_open(at + timedelta(hours=5, minutes=10))  # after its midnight
    assert get_zone(NIGHT).is_open(at - timedelta(days=1))
    assert get_zone(NIGHT).is_open(at + timedelta(days=7))
    before = date(2025, 12, 26)
    assert not get_zone(NIGHT).is_open(datetime(before.year, 12, 26, 19, tzinfo=CITY))


def test_every_shipped_zone_is_marked_as_made_up_and_has_its_source():
    zones = list_zones()
    assert len(zones) == 2
    assert all(not zone.official and zone.source.startswith("本项目设定，非官方") for zone in zones)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('since: "18:00", until: "00:30"', 'since: "18:00", until: "18:00"', "一分钟也没有开"),
        ("days: [5, 6, 7]", "days: [0]", "greater than or equal to 1"),
        ("goods: [food, crafts, goods]", "goods: [fireworks]", "food"),
        ("id: demo_wuma_night", "id: another", "文件名和编号不同"),
        ("places: 48", "places: many", "integer"),
    ],
)
def test_a_mistake_in_a_zone_is_told_with_file_and_field(settings, tmp_path, old, new, told):
    text = (selectors_folder() / f"{NIGHT}.yaml").read_text("utf-8")
    assert old in text
    (tmp_path / f"{NIGHT}.yaml").write_text(text.replace(old, new), "utf-8")
    settings.STALL_ZONE_DIRS = [tmp_path]
    with pytest.raises(InvalidInput, match=told):
        list_zones()


def test_hours_and_next_opening_agree_with_walking_minute_by_minute():
    zone = get_zone(NIGHT)
    at = datetime(2026, 2, 15, 12, 7, tzinfo=CITY)  # the closed Sunday lies ahead
    walked = at
    while not zone.is_open(walked):
        walked += timedelta(minutes=1)
    assert zone.opens_next(at) == walked.replace(second=0)
    assert isinstance(zone, Zone) and isinstance(zone.hours[0], Hours)


def test_the_page_asks_and_answers(client):
    assert "五马街夜市" in client.get("/stalls/").content.decode()
    asked = {"zone": NIGHT, "goods": "food", "at": "2026-11-06T19:00", "school": ""}
    assert "可以摆" in client.get("/stalls/", asked).content.decode()
    later = client.get("/stalls/", asked | {"at": "2026-11-09T19:00"}).content.decode()
    assert "不能摆" in later and "起可以摆" in later
    assert client.get("/stalls/", asked | {"at": "tomorrow"}).status_code == 422
    assert client.get("/stalls/", asked | {"goods": "fireworks"}).status_code == 404
    assert client.get("/stalls/", asked | {"zone": "nowhere"}).status_code == 404
