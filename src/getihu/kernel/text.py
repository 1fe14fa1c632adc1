"""Characters as they were sent: strict decoding, one code point per character."""

import unicodedata

from getihu.kernel.errors import GetihuError

# GB18030-2000 mapped these to the private-use area; GB18030-2022 (and Unicode since 5.1) gives
# each a code point of its own. The same character must not have two, or joins miss.
PRIVATE_USE_TO_STANDARD = {
    0xE78D: 0xFE10, 0xE78E: 0xFE12, 0xE78F: 0xFE11, 0xE790: 0xFE13, 0xE791: 0xFE14,
    0xE792: 0xFE15, 0xE793: 0xFE16, 0xE794: 0xFE17, 0xE795: 0xFE18, 0xE796: 0xFE19,
    0xE81E: 0x9FB4, 0xE826: 0x9FB5, 0xE82B: 0x9FB6, 0xE82C: 0x9FB7,
    0xE832: 0x9FB8, 0xE843: 0x9FB9, 0xE854: 0x9FBA, 0xE864: 0x9FBB,
}  # fmt: skip

REPLACEMENT = "\ufffd"


class Undecodable(GetihuError):
    """Bytes that are not text in the encoding; ``line`` counts from 1."""

    def __init__(self, encoding: str, line: int) -> None:
        self.encoding, self.line = encoding, line
        super().__init__(f"第 {line} 行不是 {encoding} 编码")


def decode_strict(content: bytes, declared: str | None = None) -> tuple[str, str]:
    """Return the text and the encoding it was read in; never replaces a character.

    With ``declared`` (utf-8 or gb18030) only that encoding is tried; otherwise UTF-8, then
    GB18030 — this order, because GB18030 reads some UTF-8 names as other characters without an
    error. A byte-order mark is dropped. Raises Undecodable naming the first bad line.
    """
    encodings = [declared] if declared else ["utf-8", "gb18030"]
    worst: Undecodable | None = None
    for encoding in encodings:
        try:
            return canonical_text(content.decode(encoding).removeprefix("\ufeff")), encoding
        except UnicodeDecodeError as error:
            problem = Undecodable(encoding, content.count(b"\n", 0, error.start) + 1)
            worst = problem if worst is None or problem.line > worst.line else worst
    assert worst is not None
    raise worst


def canonical_text(text: str) -> str:
    """Return the text in NFC with private-use codes of old GB18030 mapped to their characters."""
    if text.isascii():
        return text
    return unicodedata.normalize("NFC", text.translate(PRIVATE_USE_TO_STANDARD))


def first_forbidden(text: str) -> str | None:
    """Return the first character that may not be stored (NUL, U+FFFD, unmapped private use)."""
    for character in text:
        if character == "\0" or character == REPLACEMENT or unicodedata.category(character) == "Co":
            return character
    return None


def half_width(text: str) -> str:
    """Return the text with full-width digits, letters and signs made half-width."""
    return unicodedata.normalize("NFKC", text)
