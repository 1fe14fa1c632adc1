"""The calculator shows both sides and never says which is better."""

import re
from decimal import Decimal

import pytest

from getihu.growth.contracts.conversion import Comparison
from getihu.growth.conversion.both_sides import Asked, both_sides, business_tax, relieved
from getihu.growth.conversion.forced import all_forced, forced_by_law
from getihu.growth.conversion.happens import of_everyone

ADVICE = re.compile("建议|推荐|划算|更好|更合适|应该转|值得|优于|省下|节税|最优")


def test_the_published_example_comes_out():
    """80,000 at 10% less 1,500 (the worked example of 公告2023年第12号)."""
    assert business_tax(Decimal(80_000)) == Decimal("6500.00")
    assert relieved(Decimal(80_000)) == Decimal("3250.00")


def test_above_two_million_only_the_part_below_is_halved():
    full, below = business_tax(Decimal(3_000_000)), business_tax(Decimal(2_000_000))
    assert relieved(Decimal(3_000_000)) == full - below / 2


@pytest.mark.parametrize("profit", [0, 30_000, 30_001, 500_000, 2_999_999, 3_000_001, 10**8])
def test_it_never_recommends_and_adds_nothing_up(profit):
    for months in (12, 7, 1):
        found = both_sides(Asked(Decimal(profit), Decimal(900_000), 3, months))
        assert set(Comparison.__dataclass_fields__) == {"months", "lines"}  # no sum, no verdict
        text = " ".join(f"{x.about} {x.trader} {x.company} {x.source}" for x in found.lines)
        assert not ADVICE.search(text), text


def test_every_line_names_its_source_and_says_when_the_text_was_not_read():
    lines = both_sides(Asked(Decimal(200_000), Decimal(900_000), 3, 5)).lines
    assert all(line.source and line.trust in "LGMSDR" for line in lines)


def test_in_the_year_of_the_conversion_what_the_law_leaves_open_is_a_range():
    lines = both_sides(Asked(Decimal(300_000), Decimal(900_000), 2, 6)).lines
    low, high = lines[1].trader_yuan
    assert low < high
    # Half a year's profit on whole steps, and on steps of half their width.
    assert low == relieved(Decimal(150_000)) and high == relieved(Decimal(150_000), 6)


def test_a_company_too_large_to_count_as_small_is_not_worked_out():
    line = both_sides(Asked(Decimal(3_000_001), Decimal(1), 0)).lines[0]
    assert line.company_yuan is None


def test_trades_the_law_wants_as_companies_are_marked_with_their_source():
    assert forced_by_law("6020").permit == "快递业务经营许可"
    assert forced_by_law("6210") is None and forced_by_law(None) is None
    assert all("温政办〔2024〕22号" in f.source for f in all_forced())


def test_the_name_and_the_code_stay():
    assert {h.kind: h.fate for h in of_everyone("阿华")}["name"] == "stays"
