"""Characters as they were sent: strict decoding, one code point per character."""

import re
import unicodedata

from getihu.kernel.errors import GetihuError

# Python's GB18030 codec follows the standard's edition of 2000, which gave these two-byte codes a
# private-use code point; the same character also has a code point of its own and, in GB18030, a
# four-byte code. One character must not have two code points, or joins miss.
PRIVATE_USE_TO_STANDARD = {
    # Edition 2022: A6D9–A6DF, A6EC, A6ED, A6F3 (vertical punctuation).
    0xE78D: 0xFE10, 0xE78E: 0xFE12, 0xE78F: 0xFE11, 0xE790: 0xFE13, 0xE791: 0xFE14,
    0xE792: 0xFE15, 0xE793: 0xFE16, 0xE794: 0xFE17, 0xE795: 0xFE18, 0xE796: 0xFE19,
    # Edition 2022: FE59, FE61, FE66, FE67, FE6D, FE7E, FE90, FEA0 (ideographs).
    0xE81E: 0x9FB4, 0xE826: 0x9FB5, 0xE82B: 0x9FB6, 0xE82C: 0x9FB7,
    0xE832: 0x9FB8, 0xE843: 0x9FB9, 0xE854: 0x9FBA, 0xE864: 0x9FBB,
    # Edition 2005: A8BC (m with acute).
    0xE7C7: 0x1E3F,
    # FE51, FE52, FE53, FE6C, FE76, FE91: still private in the standard, but the same ideographs
    # stand in CJK Extension B and have four-byte codes.
    0xE816: 0x20087, 0xE817: 0x20089, 0xE818: 0x200CC,
    0xE831: 0x215D7, 0xE83B: 0x2298F, 0xE855: 0x241FE,
}  # fmt: skip

# Outside these ranges a character may be private use or not in NFC.
_NUMBER = re.compile(r"[+-]?\d[\d,]*(\.\d+)?")
_UNUSUAL = re.compile("[^\0-\u02ff\u2010-\u2027\u3000-\u3029\u3400-\u9fff\uff00-\uffee]")
REPLACEMENT = "\ufffd"


ENCODINGS = ("utf-8", "gb18030")
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# Below this share of lost bytes a file is damaged UTF-8 and not GB18030. 本项目设定，非官方.
DAMAGED_SHARE = 0.1
# Full-width forms of the printable ASCII characters, and the full-width blank.
_HALF_WIDTH = {wide: wide - 0xFEE0 for wide in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}


class Undecodable(GetihuError):
    """Bytes that are not text in the encoding; ``line`` counts from 1 (0: no line is to blame)."""

    def __init__(self, encoding: str, line: int, message: str = "") -> None:
        self.encoding, self.line = encoding, line
        super().__init__(
            message
            or f"第 {line} 行不是 {encoding} 编码。"
            "处理办法：请从原系统重新导出，存为 UTF-8 或 GB18030，并在清单中写明编码。"
        )


def decode_strict(content: bytes, declared: str | None = None) -> tuple[str, str]:
    """Return the canonical text and the encoding it was read in; never replaces a character.

    With ``declared`` (``utf-8`` or ``gb18030``) only that encoding is tried; otherwise UTF-8,
    then GB18030 — this order, because GB18030 reads some UTF-8 names as other characters without
    an error. For the same reason GB18030 is not tried on a file that starts with UTF-8's
    byte-order mark or is UTF-8 but for a few bytes. The mark itself is dropped.

    Raises Undecodable naming the first bad line, or an encoding that is not one of the two.
    """
    if declared is not None and declared.lower() not in ENCODINGS:
        raise Undecodable(
            declared, 0, f"不接受编码“{declared}”。处理办法：改存为 UTF-8 或 GB18030 后重新报送。"
        )
    if declared is not None:
        return _decode(content, declared.lower())
    try:
        return _decode(content, "utf-8")
    except Undecodable as not_utf8:
        if content.startswith(BYTE_ORDER_MARK) or _is_damaged_utf8(content):
            raise
        try:
            return _decode(content, "gb18030")
        except Undecodable as neither:
            # The encoding that came further is the one the file was meant to be in.
            raise max(neither, not_utf8, key=lambda problem: problem.line) from None


def _decode(content: bytes, encoding: str) -> tuple[str, str]:
    try:
        return canonical_text(content.decode(encoding).removeprefix("\ufeff")), encoding
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise Undecodable(encoding, line) from None


def _is_damaged_utf8(content: bytes) -> bool:
    """Whether nearly all non-ASCII bytes are valid UTF-8 (GB18030 text loses most of them)."""
    foreign = len(content.translate(None, delete=bytes(range(0x80))))
    lost = len(content) - len(content.decode("utf-8", "ignore").encode())
    return lost < foreign * DAMAGED_SHARE


def canonical_text(text: str) -> str:
    """Return the text in NFC with private-use codes of old GB18030 mapped to their characters.

    NFC also turns the compatibility ideographs of old code pages into the ordinary ones.
    """
    if text.isascii():
        return text
    # Translating and normalising walk every character; looking first is much cheaper.
    if not _UNUSUAL.search(text):
        return text
    return unicodedata.normalize("NFC", text.translate(PRIVATE_USE_TO_STANDARD))


def first_forbidden(text: str) -> str | None:
    """Return the first character that may not be stored (NUL, U+FFFD, unmapped private use)."""
    for character in text:
        if character == "\0" or character == REPLACEMENT or unicodedata.category(character) == "Co":
            return character
    return None


def half_width(text: str) -> str:
    """Return the text with full-width digits, letters, signs and blanks made half-width.

    Nothing else changes: circled digits, superscripts and Chinese numerals stay what they are.

    >>> half_width("９２３３Ｇ　①")
    '9233G ①'
    """
    return text.translate(_HALF_WIDTH)


def safe_cell(text: str) -> str:
    """A cell of a table for spreadsheets that no program takes for a formula.

    >>> safe_cell("=1+1"), safe_cell("-3.50"), safe_cell("@SUM(A1)"), safe_cell("正常")
    ("'=1+1", '-3.50', "'@SUM(A1)", '正常')
    """
    if text.startswith(("=", "@", "\t", "\r")):
        return "'" + text
    if text.startswith(("+", "-")) and not _NUMBER.fullmatch(text):
        return "'" + text
    return text
