"""Files as no department should send them: read or refused, never lost and never a crash.

The manifest is left out here on purpose: it states what was really exported, damage included.
"""

import random
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from getihu.dataplane.catalogue.contracts import load_contracts
from getihu.dataplane.intake.lines import (
    MAX_LINE,
    CleanFile,
    Held,
    clean_file,
    may_be_forbidden,
)
from getihu.dataplane.intake.manifest import DeliveredFile, Manifest
from getihu.dataplane.intake.stage import Staged, stage_delivery
from getihu.kernel.text import PRIVATE_USE_TO_STANDARD
from tests.dataplane.department import CODES, csv_bytes, penalty

Mutator = Callable[[random.Random, bytes], bytes]
FILES = 120  # of each seed; the scale run takes ten thousand


def inserting(piece: bytes) -> Mutator:
    def mutate(rng: random.Random, content: bytes) -> bytes:
        place = rng.randrange(len(content))
        return content[:place] + piece + content[place:]

    return mutate


def inserting_line(line: bytes) -> Mutator:
    def mutate(rng: random.Random, content: bytes) -> bytes:
        lines = content.split(b"\n")
        lines.insert(rng.randrange(1, len(lines)), line)
        return b"\n".join(lines)

    return mutate


def writing_cell(*cells: bytes) -> Mutator:
    def mutate(rng: random.Random, content: bytes) -> bytes:
        lines = content.split(b"\n")
        place = rng.randrange(1, len(lines) - 1)
        row = lines[place].split(b",")
        row[rng.randrange(len(row))] = rng.choice(cells)
        lines[place] = b",".join(row)
        return b"\n".join(lines)

    return mutate


def flip(rng: random.Random, content: bytes) -> bytes:
    place = rng.randrange(len(content))
    return content[:place] + bytes([content[place] ^ 1 << rng.randrange(8)]) + content[place + 1 :]


def cut(rng: random.Random, content: bytes) -> bytes:
    return content[: rng.randrange(len(content))]


def lose(rng: random.Random, content: bytes) -> bytes:
    place = rng.randrange(len(content))
    return content[:place] + content[place + rng.randrange(1, 30) :]


def swap(rng: random.Random, content: bytes) -> bytes:
    lines = content.split(b"\n")
    one, other = rng.randrange(len(lines)), rng.randrange(len(lines))
    lines[one], lines[other] = lines[other], lines[one]
    return b"\n".join(lines)


def glue(rng: random.Random, content: bytes) -> bytes:
    lines = content.split(b"\n")
    place = rng.randrange(1, len(lines) - 1)
    lines[place : place + 2] = [lines[place] + lines[place + 1]]
    return b"\n".join(lines)


def mixed_newlines(rng: random.Random, content: bytes) -> bytes:
    ends = [b"\n", b"\r\n", b"\r"]
    return b"".join(line + rng.choice(ends) for line in content.split(b"\n")[:-1])


MUTATORS: dict[str, Mutator] = {
    "flip": flip,
    "cut": cut,
    "lose": lose,
    "swap": swap,
    "glue": glue,
    "mixed_newlines": mixed_newlines,
    "mark": lambda _, content: b"\xef\xbb\xbf" + content,
    "twice": lambda _, content: content + content,
    "blank_end": lambda _, content: content + b"\n\n\n",
    "nothing": lambda _, content: b"",
    "nul": inserting(b"\0"),
    "lead_byte": inserting(b"\x81"),
    "replacement": inserting("\ufffd".encode()),
    "private_use": inserting("\ue815".encode()),
    "return": inserting(b"\r"),
    "quote": inserting(b'"'),
    "comma": inserting(b","),
    "newline": inserting(b"\n"),
    "end_of_file": inserting(b"\x1a"),
    "separator": inserting("\u2028\x85".encode()),
    "blank_line": inserting_line(b""),
    "commas": inserting_line(b",,,,"),
    "quoted_newline": inserting_line(b'"a\nb",c'),
    "comment": inserting_line(b"#"),
    "quoted": writing_cell(b'"a"', b'"a', b'a"', b'""', b'"a""b"', b' "a"', b'"a" ', b'"a"b'),
    "number": writing_cell(b"infinity", b"nan", b"1e9", b"0x10", b"9" * 40, b"+5", b".5", b"5."),
    "date": writing_cell(b"2026-02-30", b"0001-01-01", b"9999-12-31", b"2026-1-1", b"infinity"),
    "odd": writing_cell(b"NULL", b"\\N", b"\\", b"'", b"\t", b" ", "\U0001f600\u202e".encode()),
    "long": writing_cell("字".encode() * 3000, b"a" * (MAX_LINE + 1)),
}


def physical_lines(content: bytes) -> int:
    """Lines after the header, counted by other means than the code under test."""
    lines = content.split(b"\n")
    while lines and not lines[-1].strip():
        lines.pop()
    return max(0, len(lines) - 1)


def stage(folder: Path, content: bytes, encoding: str | None) -> Staged:
    (folder / "penalties.csv").write_bytes(content)
    rows = physical_lines(content)
    manifest = Manifest(
        delivery_id="penalties-1",
        dataset="penalties",
        department="amr",
        period="2026-10",
        issued_at=datetime(2026, 11, 5, tzinfo=UTC),
        covers_until=date(2026, 10, 31),
        divisions=("330300",),
        corrects=None,
        files=(DeliveredFile("penalties.csv", len(content), "", "", rows, encoding),),
    )
    staged = stage_delivery(folder, manifest, load_contracts()["penalties"], folder / "staged")
    assert staged.rows_in == rows
    return staged


def held_or_conserved(folder: Path, content: bytes, encoding: str | None) -> str:
    try:
        staged = stage(folder, content, encoding)
    except Held as held:
        assert "处理办法" in str(held)
        return "held"
    assert staged.rows_in == staged.accepted + staged.quarantined + staged.duplicate
    assert staged.quarantined == sum(rows for _, rows in staged.reasons.values())
    return "read"


def plain_file(encoding: str) -> bytes:
    rows = [penalty(CODES[n % 3], f"温市监罚〔2026〕{n}号") for n in range(8)]
    return csv_bytes("penalties", rows, encoding)


@pytest.mark.parametrize("name", MUTATORS)
def test_every_mutator_alone_is_read_or_held(name, tmp_path):
    rng = random.Random(name)
    for encoding in ("utf-8", "gb18030"):
        content = MUTATORS[name](rng, plain_file(encoding))
        held_or_conserved(tmp_path, content, encoding)


def many_mutated_files(seed: int, count: int, folder: Path) -> dict[str, int]:
    rng = random.Random(seed)
    outcomes = {"read": 0, "held": 0}
    for _ in range(count):
        encoding = rng.choice(["utf-8", "gb18030"])
        content = plain_file(encoding)
        for mutate in rng.choices(list(MUTATORS.values()), k=rng.choice([1, 2, 3])):
            if content.count(b"\n") > 2:
                content = mutate(rng, content)
        outcome = held_or_conserved(folder, content, rng.choice([encoding, encoding, None]))
        outcomes[outcome] += 1
    return outcomes


def test_mutated_files_never_crash_the_door_and_never_lose_a_row(tmp_path):
    outcomes = many_mutated_files(20261031, FILES, tmp_path)
    assert min(outcomes.values()) > FILES // 20


@pytest.mark.scale
def test_ten_thousand_mutated_files(tmp_path):
    many_mutated_files(1, 10_000, tmp_path)


def clean(folder: Path, content: bytes, encoding: str) -> CleanFile:
    (folder / "penalties.csv").write_bytes(content)
    stated = DeliveredFile("penalties.csv", len(content), "", "", 0, encoding)
    contract = load_contracts()["penalties"]
    return clean_file(folder / "penalties.csv", stated, contract, folder / "clean.csv")


def test_names_exactly_the_lines_in_another_encoding(tmp_path):
    utf8, gb18030 = plain_file("utf-8").split(b"\n"), plain_file("gb18030").split(b"\n")
    lines = [utf8[0]] + [gb18030[1] if n % 7 == 3 else utf8[1] for n in range(500)]
    found = clean(tmp_path, b"\n".join(lines) + b"\n", "utf-8")
    assert [bad.line for bad in found.bad] == [n + 2 for n in range(500) if n % 7 == 3]
    assert {bad.reason_code for bad in found.bad} == {"encoding"}


def test_a_long_line_without_end_is_held_before_it_fills_the_memory(tmp_path):
    header = plain_file("utf-8").split(b"\n")[0]
    with pytest.raises(Held, match="MB"):
        clean(tmp_path, header + b"\n" + b"a" * (40 << 20), "utf-8")


def line_of_penalties(number: str) -> bytes:
    return csv_bytes("penalties", [penalty(CODES[0], number)]).split(b"\n")[1]


def test_every_private_or_control_character_is_set_aside(tmp_path):
    private = [*range(0xE000, 0xF900), 0xF0000, 0xFFFFD, 0x100000, 0x10FFFD]
    characters = [*range(9), *range(0x0B, 0x0D), *range(0x0E, 0x20), 0x7F, 0xFFFD, *private]
    mapped = [c for c in characters if c in PRIVATE_USE_TO_STANDARD]
    header = plain_file("utf-8").split(b"\n")[0]
    lines = [line_of_penalties(f"第{chr(c)}号") for c in characters]
    found = clean(tmp_path, b"\n".join([header, *lines]) + b"\n", "utf-8")
    assert len(found.bad) == len(characters) - len(mapped)
    assert {bad.reason_code for bad in found.bad} == {"character"}


@pytest.mark.parametrize(
    "text", ["温州，（个体）！", "\U00020087\U0002a6d6\ud7a3\uf900\ufffc\ufe10"]
)
def test_ordinary_characters_are_not_suspected(text):
    assert not may_be_forbidden(text.encode())


def test_a_blank_end_after_a_set_aside_line_is_still_an_end(tmp_path):
    content = plain_file("utf-8") + line_of_penalties("第\x01号") + b"\n\n"
    found = clean(tmp_path, content, "utf-8")
    assert (found.records, [bad.reason_code for bad in found.bad]) == (9, ["character"])
