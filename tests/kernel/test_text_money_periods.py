"""Characters, money and terms."""

from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest

from getihu.kernel import errors, money, periods, text


def test_reads_utf8_first_and_never_replaces():
    assert text.decode_strict("垟峃漈".encode()) == ("垟峃漈", "utf-8")
    assert text.decode_strict("垟峃漈".encode("gb18030")) == ("垟峃漈", "gb18030")


def test_both_codings_of_one_character_become_one_code_point():
    old, new = b"\xfe\x59", bytes.fromhex("82359037")
    assert text.decode_strict(old)[0] == text.decode_strict(new)[0] == "\u9fb4"


def test_undecodable_bytes_name_encoding_and_line():
    with pytest.raises(text.Undecodable) as refused:
        text.decode_strict(b"ok\nok\n\xff\xff\n", "utf-8")
    assert (refused.value.encoding, refused.value.line) == ("utf-8", 3)


def test_rare_place_characters_survive_both_encodings(shared_dir):
    lines = (shared_dir / "data/01_admin/wenzhou_rare_characters.csv").read_text("utf-8")
    rare = [line.split(",")[0] for line in lines.splitlines()[1:]]
    assert len(rare) == 15
    for character in rare:
        for encoding in ("utf-8", "gb18030"):
            assert text.decode_strict(character.encode(encoding), encoding)[0] == character


@pytest.mark.parametrize(("given", "found"), [("面馆", None), ("a\0b", "\0"), ("x\ufffd", "\ufffd"),
                                              ("\ue123", "\ue123")])  # fmt: skip
def test_finds_characters_that_may_not_be_stored(given, found):
    assert text.first_forbidden(given) == found


def test_money_is_exact_and_strict():
    assert money.parse_yuan("1200.5") == Decimal("1200.50")
    assert money.to_cents(Decimal("13333.33")) == 1333333
    assert money.round_half_up(Fraction(20000 * 8, 12)) == Decimal("13333.33")
    assert money.round_half_up(Fraction(1, 200)) == Decimal("0.01")
    assert money.round_half_up(Decimal("-0.005")) == Decimal("-0.01")


@pytest.mark.parametrize("given", ["1,200", "1200元", "1.234", "1e3", "", "12.3.4", "１２"])
def test_refuses_amounts_that_need_guessing(given):
    with pytest.raises(ValueError, match=r"金额|小数"):
        money.parse_yuan(given)


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [
        (date(2024, 1, 31), 1, date(2024, 2, 29)),
        (date(2023, 1, 31), 1, date(2023, 2, 28)),
        (date(2024, 2, 29), 12, date(2025, 2, 28)),
        (date(2026, 3, 31), -1, date(2026, 2, 28)),
    ],
)
def test_months_end_where_the_month_ends(start, months, end):
    assert periods.add_months(start, months) == end


def test_counts_full_months():
    assert periods.full_months_between(date(2024, 5, 10), date(2027, 5, 9)) == 35
    assert periods.full_months_between(date(2024, 5, 10), date(2027, 5, 10)) == 36
    assert periods.full_months_between(date(2024, 1, 31), date(2024, 2, 29)) == 1


def test_a_period_ends_before_its_last_day():
    year = periods.Period(date(2026, 1, 1), date(2027, 1, 1))
    assert date(2026, 12, 31) in year
    assert date(2027, 1, 1) not in year
    assert not year.overlaps(periods.Period(date(2027, 1, 1)))
    with pytest.raises(periods.InvalidPeriod):
        periods.Period(date(2026, 1, 1), date(2026, 1, 1))


def test_a_problem_says_where_and_what_to_do():
    problem = errors.Problem("没有这个事实", "a.yaml", 3, 9, "when", "改为 month_sales_yuan")
    assert str(problem) == "a.yaml:3:9 [when] 没有这个事实 处理办法：改为 month_sales_yuan"
    assert errors.nearest_name("month_sale_yuan", ["month_sales_yuan", "x"]) == "month_sales_yuan"
