"""Unified social credit codes: GB 32100-2015 against published vectors."""

import csv
import random

import duckdb
import pytest

from getihu.kernel import codes


def vectors(shared_dir):
    path = shared_dir / "data" / "04_registrations" / "uscc_vectors.csv"
    with path.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


# The vectors call these invalid as they stand; each is a form that reading normalises.
NORMALISED = {
    "trailing blank",
    "lower case: must be upper-cased first",
    "full-width digits: must be normalised first",
}


def test_agrees_with_every_published_vector(shared_dir):
    rows = vectors(shared_dir)
    assert len(rows) == 380
    as_they_stand = [r for r in rows if (codes.credit_code_problem(r["code"]) is None)
                     != (r["expect"] == "valid")]  # fmt: skip
    assert as_they_stand == []
    read = [r for r in rows if codes.is_credit_code(r["code"])
            != (r["expect"] == "valid" or r["why"] in NORMALISED)]  # fmt: skip
    assert read == []


def test_normalises_the_forms_it_says(shared_dir):
    forms = [r["code"] for r in vectors(shared_dir) if r["why"] in NORMALISED]
    assert len(forms) == 3
    for form in forms:
        assert codes.credit_code_problem(codes.normalise_credit_code(form)) is None


@pytest.mark.parametrize("blank", [" ", "\t", "\u3000", "\xa0", "\r\n"])
def test_normalises_any_blank_around_a_code(blank):
    code = "92330303MA2BT6U57G"
    assert codes.normalise_credit_code(f"{blank}{code}{blank}") == code


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        ("92330303MA2BT6U57", "length"),
        ("330303600012345", "old_number"),
        ("92330303MA2BT6U5IG", "letter"),
        ("000000000000000000", "authority"),
        ("923303A3MA2BT6U57G", "division"),
        ("92330303MA2BT6U57H", "check"),
        ("92330303MA2BT6U75G", "check"),
        ("92330303 MA2BT6U57G", "length"),
        ("9②330303MA2BT6U57G", "letter"),
        ("9²330303MA2BT6U57G", "letter"),
        ("٩2330303MA2BT6U57G", "letter"),
        ("٣٣٠٣٠٣٦٠٠٠١٢٣٤٥", "length"),
        ("92330303MA2BT6U57ı", "letter"),
        ("92330303MA2BT6U5ß", "length"),
    ],
)
def test_refuses_with_a_reason_and_a_way_out(text, reason):
    with pytest.raises(codes.InvalidCreditCode) as refused:
        codes.normalise_credit_code(text)
    assert refused.value.reason_code == reason
    assert refused.value.fix


def test_says_who_registered_it_and_whether_it_is_a_sole_trader():
    assert codes.is_sole_trader_code("92330303MA2BT6U57G")
    assert not codes.is_sole_trader_code("91330211144375338P")
    assert codes.registrar_division("92330303MA2BT6U57G") == "330303"


def generated_codes():
    """Valid codes, and each with one character changed, from a fixed seed."""
    source = random.Random(7)
    for _ in range(2000):
        first = source.choice("19") + "2" + f"{source.randrange(10**6):06d}"
        first += "".join(source.choice(codes.ALPHABET) for _ in range(9))
        code = first + codes.check_character(first)
        place = source.randrange(18)
        yield code
        yield code[:place] + source.choice(codes.ALPHABET + "IOSVZ店 ") + code[place + 1 :]


ODD = ["", " ", "330303600012345", "33030360001234X", "92330303MA2BT6U57", "0" * 18, "I" * 18,
       "92330303MA2BT6U57G\n", "店" * 18, "9233030３MA2BT6U57G"]  # fmt: skip


def in_duckdb(samples, expression):
    con = duckdb.connect()
    con.execute("CREATE TABLE t (i INTEGER, code VARCHAR)")
    con.executemany("INSERT INTO t VALUES (?, ?)", list(enumerate(samples)))
    return [row[0] for row in con.sql(f"SELECT {expression} FROM t ORDER BY i").fetchall()]


def test_sql_and_python_give_the_same_reason_for_generated_codes():
    samples = [*generated_codes(), *ODD]
    got = in_duckdb(samples, codes.credit_code_problem_sql("code"))
    assert got == [codes.credit_code_problem(code) for code in samples]
    assert set(got) == {None, *codes.REASONS}


def test_sql_and_python_give_the_same_reason_for_every_vector(shared_dir):
    samples = [row["code"] for row in vectors(shared_dir)]
    got = in_duckdb(samples, codes.credit_code_problem_sql("code"))
    assert got == [codes.credit_code_problem(code) for code in samples]


def test_sql_and_python_give_the_same_check_character():
    samples = [code for code in generated_codes() if set(code[:17]) <= set(codes.ALPHABET)]
    got = in_duckdb(samples, codes.check_character_sql("code"))
    assert got == [codes.check_character(code[:17]) for code in samples]


def test_sql_has_no_check_character_for_other_letters_and_short_texts():
    samples = ["9233030IMA2BT6U57G", "92330303MA2BT6U", "", "店" * 18]
    assert in_duckdb(samples, codes.check_character_sql("code")) == [None] * 4


def test_sql_calls_a_missing_code_empty():
    assert in_duckdb([None], codes.credit_code_problem_sql("code")) == ["empty"]
