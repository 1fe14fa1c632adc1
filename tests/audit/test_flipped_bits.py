"""A9: what lies on the disk is read and hashed again before anything is signed on top of it."""

import random

import pytest

from getihu.audit import services
from getihu.audit.services import sequencing
from getihu.audit.tlog import tiles
from tests.audit.conftest import AT, record, verify_whole

pytestmark = pytest.mark.django_db


def flipping_disk(monkeypatch, dice: random.Random) -> list[str]:
    """From now on one of the files written comes back with one bit changed."""
    write, flipped = tiles.TileFolder.write, []
    countdown = dice.randrange(4)

    def write_badly(self, tile, text):
        nonlocal countdown
        if countdown == 0:
            place = dice.randrange(len(text) * 8)
            number = int.from_bytes(text, "big") ^ (1 << place)
            text = number.to_bytes(len(text), "big")
            flipped.append(tile.path)
        countdown -= 1
        write(self, tile, text)

    monkeypatch.setattr(tiles.TileFolder, "write", write_badly)
    return flipped


def flip_and_sequence(grow, log, count: int) -> tuple[int, int]:
    """Return how many flips there were and how many were noticed before signing."""
    grow(250)
    before = (log / "checkpoint").read_bytes()
    record(20, first=250)
    flips = noticed = 0
    for seed in range(count):
        with pytest.MonkeyPatch.context() as patch:
            flipped = flipping_disk(patch, random.Random(seed))
            with pytest.raises(services.LogDamaged):
                services.sequence(AT)
        flips += len(flipped)
        noticed += (log / "checkpoint").read_bytes() == before
    return flips, noticed


def test_every_flipped_bit_is_caught_before_signing(grow, log):
    flips, noticed = flip_and_sequence(grow, log, 20)

    assert (flips, noticed) == (20, 20)
    # A sound disk: the next run writes the files again and goes on.
    assert services.sequence(AT).size == 270
    assert verify_whole(log) == 0


@pytest.mark.scale
def test_a_thousand_flipped_bits_are_caught_before_signing(grow, log):
    assert flip_and_sequence(grow, log, 1000) == (1000, 1000)


def test_without_reading_back_a_flipped_bit_would_be_signed(grow, log, monkeypatch):
    grow(256)
    record(10, first=256)
    monkeypatch.setattr(
        sequencing, "_reread", lambda last, size: sequencing._root_of(sequencing._entries(0, size))
    )
    flipping_disk(monkeypatch, random.Random(1))

    assert services.sequence(AT).size == 266
    assert verify_whole(log) == 1


def test_a_flipped_bit_in_old_tiles_is_caught_at_the_next_start(grow, log):
    grow(300)
    path = log / "tile" / "0" / "001.p" / "44"
    raw = bytearray(path.read_bytes())
    raw[100] ^= 1
    path.write_bytes(raw)
    record(1, first=300)

    with pytest.raises(services.LogDamaged):
        services.sequence(AT)
