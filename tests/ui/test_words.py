"""Money, dates and truths as people read them."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from getihu.ui.templatetags import ui


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        (Decimal("3600.00"), "3,600元"),
        (Decimal("1234567.5"), "1,234,567.50元"),
        (Decimal("0.005"), "0.01元"),
        (0, "0元"),
        (None, ""),
    ],
)
def test_money_has_separators_and_its_unit(amount, shown):
    assert ui.yuan(amount) == shown


def test_an_unknown_count_is_never_zero():
    assert ui.number(None) == "未知"


def test_a_date_names_its_year_only_when_it_is_another_one():
    assert ui.day(date(2026, 6, 30), date(2026, 10, 31)) == "6月30日（周二）"
    assert ui.day(date(2025, 6, 30), date(2026, 10, 31)) == "2025年6月30日（周一）"
    assert ui.day(date(2026, 6, 30)) == "2026年6月30日（周二）"
    assert ui.day(None) == ""


def test_a_moment_is_told_in_the_city_s_time():
    assert ui.moment(datetime(2026, 11, 2, 22, 5, tzinfo=UTC)) == "2026年11月3日 06:05"


def test_the_end_of_a_period_is_its_last_day():
    assert ui.last_day(date(2028, 1, 1)) == date(2027, 12, 31)


@pytest.mark.parametrize(("result", "mark"), [("yes", "✓"), ("no", "✗"), ("unknown", "？")])
def test_a_truth_is_a_mark_and_a_word(result, mark):
    shown = ui.truth(result)
    assert mark in shown
    assert ui.TRUTHS[result][1] in shown


def test_an_unofficial_source_is_marked_once():
    assert ui.unmarked("本项目设定，非官方；借用起征点") == "借用起征点"
    assert ui.unmarked("公告第一条") == "公告第一条"


@pytest.mark.parametrize(
    ("plain", "shown"),
    [
        ("数据只到 2026-07-31，自 2026-08-01 起", "数据只到2026年7月31日，自2026年8月1日起"),
        ("7,200.00 元", "7,200元"),
        ("7,200.50 元", "7,200.50元"),
        ("单位参保人数 3 人", "单位参保人数3人"),
        ("第 2 页", "第 2 页"),
        ("loans-2026-10", "loans-2026-10"),
    ],
)
def test_sentences_read_as_people_write(plain, shown):
    assert ui.prose(plain) == shown
