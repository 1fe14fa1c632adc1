"""The tree as static files: c2sp.org/tlog-tiles. Written whole, made durable, read back."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from getihu.audit.tlog.merkle import leaf_hash, perfect_root
from getihu.kernel.errors import GetihuError

WIDTH: Final = 256
HASH_BYTES: Final = 32
ENTRIES: Final = "entries"


class TileDamaged(GetihuError):
    """A file of the log is missing or does not hold what it must."""

    exit_code = 4


@dataclass(frozen=True)
class Tile:
    """``level`` counts from 0 at the leaves; "entries" is the bundle beside level 0."""

    level: int | str
    number: int
    width: int = WIDTH

    @property
    def path(self) -> str:
        """
        >>> Tile(0, 1234067).path
        'tile/0/x001/x234/067'
        >>> Tile("entries", 273, 112).path
        'tile/entries/273.p/112'
        """
        digits = f"{self.number % 1000:03}"
        rest = self.number // 1000
        while rest:
            digits = f"x{rest % 1000:03}/{digits}"
            rest //= 1000
        partial = "" if self.width == WIDTH else f".p/{self.width}"
        return f"tile/{self.level}/{digits}{partial}"


def tiles_of(size: int) -> Iterator[Tile]:
    """Every tile a tree of ``size`` is made of, bundles first."""
    yield from new_tiles(0, size)


def new_tiles(old: int, size: int) -> Iterator[Tile]:
    """The tiles a tree of ``size`` has and a tree of ``old`` did not."""
    yield from _new_of_level(ENTRIES, old, size)
    level = 0
    while size >> (8 * level):
        yield from _new_of_level(level, old >> (8 * level), size >> (8 * level))
        level += 1


def _new_of_level(level: int | str, old: int, size: int) -> Iterator[Tile]:
    if size <= old:
        return
    for number in range(old // WIDTH, -(-size // WIDTH)):
        yield Tile(level, number, min(WIDTH, size - number * WIDTH))


def encode_bundle(entries: Sequence[bytes]) -> bytes:
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def decode_bundle(text: bytes) -> list[bytes]:
    """Return the entries. Raises TileDamaged when the lengths do not fit."""
    entries, at = [], 0
    while at < len(text):
        length = int.from_bytes(text[at : at + 2], "big")
        entry = text[at + 2 : at + 2 + length]
        if len(entry) != length or at + 2 > len(text):
            raise TileDamaged("条目文件的长度前缀与内容不符")
        entries.append(entry)
        at += 2 + length
    return entries


class TileFolder:
    """The files of one log below a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def read(self, tile: Tile) -> bytes:
        """Return a tile's bytes, from the full tile when the partial one is gone."""
        for candidate in (tile, Tile(tile.level, tile.number)):
            try:
                text = (self.folder / candidate.path).read_bytes()
            except FileNotFoundError:
                continue
            if tile.level == ENTRIES:
                return encode_bundle(decode_bundle(text)[: tile.width])
            return text[: tile.width * HASH_BYTES]
        raise TileDamaged(f"缺少日志文件 {tile.path}")

    def hashes(self, tile: Tile) -> list[bytes]:
        text = self.read(tile)
        if len(text) != tile.width * HASH_BYTES:
            raise TileDamaged(f"日志文件 {tile.path} 的长度不对")
        return [text[i : i + HASH_BYTES] for i in range(0, len(text), HASH_BYTES)]

    def entries(self, tile: Tile) -> list[bytes]:
        entries = decode_bundle(self.read(tile))
        if len(entries) != tile.width:
            raise TileDamaged(f"条目文件 {tile.path} 的条数不对")
        return entries

    def write(self, tile: Tile, text: bytes) -> None:
        write_durably(self.folder / tile.path, text)

    def forget_partials_of(self, tile: Tile) -> None:
        """Remove the partial tiles a full tile has made superfluous."""
        partial_folder = (self.folder / Tile(tile.level, tile.number, 1).path).parent
        if tile.width != WIDTH or not partial_folder.is_dir():
            return
        for path in partial_folder.iterdir():
            path.unlink()
        partial_folder.rmdir()

    def older_partials(self, tile: Tile) -> list[Tile]:
        """The partial tiles of earlier sizes that lie beside a tile, narrowest first."""
        folder = (self.folder / Tile(tile.level, tile.number, 1).path).parent
        widths = sorted(int(p.name) for p in folder.glob("*") if p.name.isdecimal())
        return [Tile(tile.level, tile.number, width) for width in widths if width < tile.width]

    def subtree(self, size: int) -> Callable[[int, int], bytes]:
        """The perfect subtrees of a tree of ``size``, each tile read once."""
        seen: dict[tuple[int, int], list[bytes]] = {}

        def read(level: int, index: int) -> bytes:
            tile_level, height = divmod(level, 8)
            number, first = divmod(index << height, WIDTH)
            if (tile_level, number) not in seen:
                width = min(WIDTH, (size >> (8 * tile_level)) - number * WIDTH)
                seen[tile_level, number] = self.hashes(Tile(tile_level, number, width))
            return perfect_root(seen[tile_level, number][first : first + (1 << height)])

        return read


def check_tile(folder: TileFolder, tile: Tile, *, signed: int = 0) -> None:
    """Hash a tile's files again from below. Raises TileDamaged when they disagree.

    Hashes of an upper tile that belong to the tree of ``signed`` entries are left out: its root
    covers every one of them, and the caller compares that.
    """
    if tile.level == ENTRIES:
        return
    assert isinstance(tile.level, int)
    hashes = folder.hashes(tile)
    if tile.level == 0:
        below = Tile(ENTRIES, tile.number, tile.width)
        again = [leaf_hash(entry) for entry in folder.entries(below)]
    else:
        first = tile.number * WIDTH
        known = max(0, (signed >> (8 * tile.level)) - first)
        again = hashes[:known] + [
            perfect_root(folder.hashes(Tile(tile.level - 1, first + i)))
            for i in range(known, tile.width)
        ]
    if hashes != again:
        raise TileDamaged(f"日志文件 {tile.path} 与下一层的散列不符")


def check_older_partials(folder: TileFolder, tile: Tile) -> None:
    """Compare the partial tiles of earlier sizes with the beginning of the one they grew into."""
    for older in folder.older_partials(tile):
        if tile.level == ENTRIES:
            same = folder.entries(older) == folder.entries(tile)[: older.width]
        else:
            same = folder.hashes(older) == folder.hashes(tile)[: older.width]
        if not same:
            raise TileDamaged(f"日志文件 {older.path} 与后来的 {tile.path} 不符")


def write_durably(path: Path, text: bytes) -> None:
    """Write a file whole or not at all, and past a power cut."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    try:
        with os.fdopen(descriptor, "wb", closefd=False) as handle:
            handle.write(text)
        os.fsync(descriptor)
        # What is read back next comes from the disk, not from memory, where the system allows it.
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(descriptor)
    temporary.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
