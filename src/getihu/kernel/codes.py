"""Unified social credit codes (统一社会信用代码, GB 32100-2015).

Normalised, because nothing is lost: blanks before and after (any Unicode blank, also the
full-width one), lower-case ASCII letters, full-width digits and letters (U+FF01–FF5E).

Refused, each with a reason code, a Chinese message and a way out (``REASONS``), first reason first:

- ``empty``: nothing but blanks;
- ``old_number``: the 15-digit registration number used before 2015;
- ``length``: any other length, so also blanks, hyphens or dots between the characters;
- ``letter``: a character outside the standard's 31 (I O S V Z, Chinese, circled or other digits);
- ``authority``: a first character no registering authority has, so also 18 zeros, whose check
  character agrees;
- ``division``: a letter among the six division digits;
- ``check``: a wrong check character.

A code is never repaired: a wrong check character says that some character is wrong, not which.
The division digits name the office of *first* registration, not where the shop is now.
"""

from getihu.kernel.errors import GetihuError
from getihu.kernel.text import half_width

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
AUTHORITIES = "123456789ANY"
LENGTH = 18
_VALUE = {character: value for value, character in enumerate(ALPHABET)}
# str.upper would also turn ß into SS and ı into I.
_UPPER = {ord(letter): letter.upper() for letter in "abcdefghijklmnopqrstuvwxyz"}

REASONS = {
    "empty": ("没有填写统一社会信用代码", "请补上18位代码"),
    "length": ("统一社会信用代码不是18位", "请核对是否漏写或多写"),
    "old_number": ("这是15位的旧注册号，不是统一社会信用代码", "请改填换照后的18位代码"),
    "letter": ("含有标准不用的字符（只用数字和除 I、O、S、V、Z 外的大写字母）", "请核对原件"),
    "authority": ("第1位登记管理部门代码不存在", "请核对原件；市场监管部门登记的以9开头"),
    "division": ("第3至8位行政区划码应为数字", "请核对原件"),
    "check": ("校验位不符，代码里至少有一位写错", "请核对原始登记，不要按校验位倒推"),
}


class InvalidCreditCode(GetihuError):
    """A text is not a credit code; ``reason_code`` is one of ``REASONS``. With ``code``, a wrong
    check character says what the first 17 would want; the text itself is never in the message."""

    def __init__(self, reason_code: str, code: str = "") -> None:
        self.reason_code = reason_code
        self.message, self.fix = REASONS[reason_code]
        if reason_code == "check" and code:
            wanted = check_character(code[:17])
            self.message += f"：按前17位算，第18位应是“{wanted}”，写的是“{code[17]}”"
        super().__init__(f"{self.message}。处理办法：{self.fix}")


def normalise_credit_code(text: str) -> str:
    """Return the 18-character code in its one form.

    Raises InvalidCreditCode. Source: GB 32100-2015.

    >>> normalise_credit_code(" 92330303ma2bt6u57g ")
    '92330303MA2BT6U57G'
    """
    code = half_width(text).strip().translate(_UPPER)
    reason = credit_code_problem(code)
    if reason:
        raise InvalidCreditCode(reason, code)
    return code


def credit_code_problem(code: str) -> str | None:
    """Return why an upper-case half-width text is no credit code, or None when it is one."""
    if not code:
        return "empty"
    if len(code) != LENGTH:
        return "old_number" if len(code) == 15 and code.isascii() and code.isdigit() else "length"
    if any(character not in _VALUE for character in code):
        return "letter"
    if code[0] not in AUTHORITIES:
        return "authority"
    if not code[2:8].isdigit():
        return "division"
    return None if check_character(code[:17]) == code[17] else "check"


def check_character(first17: str) -> str:
    """Return the 18th character for the first 17 (GB 32100-2015, 5.4)."""
    total = sum(_VALUE[c] * weight for c, weight in zip(first17, WEIGHTS, strict=True))
    return ALPHABET[-total % 31]


def organisation_check(first8: str) -> str:
    """Return the ninth character of a subject number for its first eight (GB 11714-1997, the
    numbers and the 26 letters as values): positions 9 to 16 and 17 of a credit code."""
    letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    weights = (3, 7, 9, 10, 5, 8, 4, 2)
    total = sum(letters.index(c) * weight for c, weight in zip(first8, weights, strict=True))
    return {10: "X", 11: "0"}.get(11 - total % 11, str(11 - total % 11))


def is_credit_code(text: str) -> bool:
    try:
        normalise_credit_code(text)
    except InvalidCreditCode:
        return False
    return True


def is_sole_trader_code(code: str) -> bool:
    """Whether a valid code belongs to a sole trader (9 market regulation, 2 individual)."""
    return code.startswith("92")


def registrar_division(code: str) -> str:
    """Return the division where a code was first registered; not where the shop is now."""
    return code[2:8]
