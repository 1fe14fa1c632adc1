"""The column check gives the reason the kernel gives, code by code."""

import csv
import random

import duckdb

from getihu.dataplane.intake import code_check
from getihu.kernel import codes


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


def in_the_engine(samples):
    with duckdb.connect() as con:
        code_check.install(con)
        con.execute("CREATE TABLE t (i INTEGER, code VARCHAR)")
        con.executemany("INSERT INTO t VALUES (?, ?)", list(enumerate(samples)))
        found = con.sql(f"SELECT {code_check.FUNCTION}(code) FROM t ORDER BY i").fetchall()
    return [row[0] for row in found]


def test_gives_the_same_reason_for_generated_codes():
    samples = [*generated_codes(), *ODD]
    got = in_the_engine(samples)
    assert got == [codes.credit_code_problem(code) for code in samples]
    assert set(got) == {None, *codes.REASONS}


def test_gives_the_same_reason_for_every_vector(shared_dir):
    path = shared_dir / "data" / "04_registrations" / "uscc_vectors.csv"
    with path.open(encoding="utf-8", newline="") as handle:
        samples = [row["code"] for row in csv.DictReader(handle)]
    assert in_the_engine(samples) == [codes.credit_code_problem(code) for code in samples]


def test_no_text_is_no_problem_of_the_code():
    assert in_the_engine([None, "92330303MA2BT6U57G"]) == [None, None]
