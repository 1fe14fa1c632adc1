"""Characters, money and terms."""

import random
from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest

from getihu.kernel import errors, money, periods, text


def test_reads_utf8_first_and_never_replaces():
    assert text.decode_strict("垟峃漈".encode()) == ("垟峃漈", "utf-8")
    assert text.decode_strict("垟峃漈".encode("gb18030")) == ("垟峃漈", "gb18030")


# Two-byte code of the 2000 edition → the character's own code point (GB 18030-2022, annexes).
OWN_CODE_POINTS = [
    ("A6D9", 0xFE10), ("A6DA", 0xFE12), ("A6DB", 0xFE11), ("A6DC", 0xFE13), ("A6DD", 0xFE14),
    ("A6DE", 0xFE15), ("A6DF", 0xFE16), ("A6EC", 0xFE17), ("A6ED", 0xFE18), ("A6F3", 0xFE19),
    ("FE59", 0x9FB4), ("FE61", 0x9FB5), ("FE66", 0x9FB6), ("FE67", 0x9FB7), ("FE6D", 0x9FB8),
    ("FE7E", 0x9FB9), ("FE90", 0x9FBA), ("FEA0", 0x9FBB), ("A8BC", 0x1E3F),
    ("FE51", 0x20087), ("FE52", 0x20089), ("FE53", 0x200CC), ("FE6C", 0x215D7),
    ("FE76", 0x2298F), ("FE91", 0x241FE),
]  # fmt: skip


@pytest.mark.parametrize(("two_bytes", "point"), OWN_CODE_POINTS)
def test_both_codings_of_one_character_join(two_bytes, point):
    old = text.decode_strict(bytes.fromhex(two_bytes))[0]
    new = text.decode_strict(chr(point).encode("gb18030"))[0]
    private = bytes.fromhex(two_bytes).decode("gb18030")
    assert old == new == text.decode_strict(private.encode(), "utf-8")[0] == chr(point)


def test_the_codec_still_gives_private_code_points():
    """Should this fail, the codec follows the edition of 2022 and the table can go."""
    found = {ord(bytes.fromhex(code).decode("gb18030")) for code, _ in OWN_CODE_POINTS}
    assert found == set(text.PRIVATE_USE_TO_STANDARD)


def test_the_four_byte_code_of_the_promise():
    assert text.decode_strict(bytes.fromhex("82359037"), "gb18030")[0] == "\u9fb4"


def test_100_000_names_survive_both_encodings():
    source = random.Random(3)
    han = [chr(point) for point in range(0x4E00, 0x9FA6)]
    names = "\n".join("".join(source.choices(han, k=6)) for _ in range(100_000))
    for encoding in text.ENCODINGS:
        assert text.decode_strict(names.encode(encoding)) == (names, encoding)
    assert text.first_forbidden(names) is None


def test_a_utf8_file_with_a_broken_byte_is_not_read_as_gb18030():
    content = ("垟头面馆，柳市镇\n" * 50).encode()
    with pytest.raises(text.Undecodable) as refused:
        text.decode_strict(content[:-5] + content[-4:])
    assert (refused.value.encoding, refused.value.line) == ("utf-8", 50)


def test_a_byte_order_mark_means_utf8():
    assert text.decode_strict("\ufeff面馆".encode()) == ("面馆", "utf-8")
    with pytest.raises(text.Undecodable, match="utf-8"):
        text.decode_strict(b"\xef\xbb\xbf" + "面馆".encode("gb18030"))


def test_an_encoding_that_is_not_accepted_is_named():
    with pytest.raises(text.Undecodable, match=r"big5.*处理办法"):
        text.decode_strict("店".encode("big5"), "big5")


def test_half_width_changes_width_only():
    assert text.half_width("９２（Ａ）　①²三") == "92(A) ①²三"


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


@pytest.mark.parametrize(
    ("amount", "unit", "source", "message"),
    [
        (0, periods.LegalUnit.NATURAL_DAY, "某法第一条", "正数"),
        (5, "days", "某法第一条", "working_day"),
        (5, periods.LegalUnit.WORKING_DAY, "", "法源"),
    ],
)
def test_a_term_without_unit_or_source_is_refused(amount, unit, source, message):
    with pytest.raises(periods.InvalidPeriod, match=message):
        periods.Term(amount, unit, source)


def test_more_digits_than_money_has_is_no_amount():
    with pytest.raises(ValueError, match="不是金额"):
        money.parse_yuan("9" * 40)


def test_nothing_owed_has_no_minus():
    assert str(money.parse_yuan("-0.00")) == "0.00"
