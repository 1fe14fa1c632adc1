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


def test_agrees_with_every_published_vector(shared_dir):
    rows = vectors(shared_dir)
    wrong = [
        (row["code"], row["why"])
        for row in rows
        if codes.is_credit_code(row["code"]) != (row["expect"] == "valid")
        and not row["why"].endswith("first")
        and row["why"] != "trailing blank"
    ]
    assert wrong == []
    assert len(rows) == 380


def test_normalises_the_forms_it_says_and_no_others(shared_dir):
    named = {row["why"]: row["code"] for row in vectors(shared_dir)}
    for why in ("trailing blank", "lower case: must be upper-cased first",
                "full-width digits: must be normalised first"):  # fmt: skip
        assert codes.credit_code_problem(codes.normalise_credit_code(named[why])) is None


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


def test_sql_and_python_agree():
    source = random.Random(7)
    samples = []
    for _ in range(2000):
        first = "92" + f"{source.randrange(10**6):06d}"
        first += "".join(source.choice(codes.ALPHABET) for _ in range(9))
        code = first + codes.check_character(first)
        place = source.randrange(18)
        samples.append(code)
        samples.append(code[:place] + source.choice(codes.ALPHABET + "IOSVZ") + code[place + 1 :])
    samples += ["", "330303600012345", "92330303MA2BT6U57", "0" * 18]
    con = duckdb.connect()
    con.execute("CREATE TABLE t (i INTEGER, code VARCHAR)")
    con.executemany("INSERT INTO t VALUES (?, ?)", list(enumerate(samples)))
    problem = codes.credit_code_problem_sql("code")
    got = con.sql(f"SELECT {problem} FROM t ORDER BY i").fetchall()
    assert [row[0] for row in got] == [codes.credit_code_problem(code) for code in samples]
    check = con.sql(
        f"SELECT bool_and({codes.check_character_sql('code')} = substr(code, 18)) FROM t "
        f"WHERE {problem} IS NULL"
    )
    assert check.fetchone() == (True,)
