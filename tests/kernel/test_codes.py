"""Unified social credit codes: GB 32100-2015 against published vectors."""

import csv

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


def test_a_wrong_check_character_says_which_was_expected_and_never_the_code():
    with pytest.raises(codes.InvalidCreditCode, match="第18位应是“G”，写的是“H”") as refused:
        codes.normalise_credit_code("92330303MA2BT6U57H")
    assert "不要按校验位倒推" in str(refused.value)
    assert "MA2BT6U57" not in str(refused.value)


def test_says_who_registered_it_and_whether_it_is_a_sole_trader():
    assert codes.is_sole_trader_code("92330303MA2BT6U57G")
    assert not codes.is_sole_trader_code("91330211144375338P")
    assert codes.registrar_division("92330303MA2BT6U57G") == "330303"
