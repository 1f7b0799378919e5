"""C2SP tlog-tiles: the paths of a static log and its entry bundles.

Source: https://c2sp.org/tlog-tiles. A *resource* is what lies at one such path.
"""

import re
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

TILE_WIDTH = 256
MAX_ENTRY = 65_535
MAX_LEVEL = 63
_length = struct.Struct(">H").pack
_PATH = re.compile(
    r"tile/(?P<level>entries|0|[1-9][0-9]?)/(?P<number>(?:x[0-9]{3}/)*[0-9]{3})(?:\.p/(?P<width>[1-9][0-9]{0,2}))?"
)


class TileError(ValueError):
    """A path or an entry bundle that tlog-tiles does not allow."""


@dataclass(frozen=True, slots=True)
class Tile:
    """One tile: `level` of the hash tree, or None for an entry bundle; its number; how many of 256 it holds."""

    level: int | None
    number: int
    width: int = TILE_WIDTH

    @property
    def path(self) -> str:
        """The resource's path, as `tile/0/x001/234` or `tile/entries/000.p/7`."""
        level = "entries" if self.level is None else str(self.level)
        partial = f".p/{self.width}" if self.width < TILE_WIDTH else ""
        return f"tile/{level}/{_number_path(self.number)}{partial}"

    @property
    def first(self) -> int:
        """Index, within its level, of the tile's first hash (or of the bundle's first entry)."""
        return self.number * TILE_WIDTH


def _number_path(number: int) -> str:
    parts = [f"{number % 1000:03d}"]
    while number := number // 1000:
        parts.append(f"x{number % 1000:03d}")
    return "/".join(reversed(parts))


def parse_path(path: str) -> Tile:
    """Read a tile's path strictly: one spelling per tile. Raises TileError."""
    match = _PATH.fullmatch(path)
    if match is None:
        raise TileError(f"not the path of a tile: {path[:80]!r}")
    level = None if match["level"] == "entries" else int(match["level"])
    number = int(match["number"].replace("x", "").replace("/", ""))
    tile = Tile(level, number, int(match["width"] or TILE_WIDTH))
    if tile.path != path or (level or 0) > MAX_LEVEL or (match["width"] and tile.width >= TILE_WIDTH):
        raise TileError(f"not the path of a tile: {path[:80]!r}")
    return tile


def level_size(level: int, size: int) -> int:
    """How many hashes tile level `level` holds in a tree of `size` leaves."""
    return size >> (8 * level)


def tile_at(level: int | None, number: int, size: int) -> Tile:
    """The tile `number` as a tree of `size` leaves has it, full or partial. Raises TileError where it is empty."""
    width = min(level_size(level or 0, size) - number * TILE_WIDTH, TILE_WIDTH)
    if width < 1:
        raise TileError("no such tile in a tree of this size")
    return Tile(level, number, width)


def tiles_of(size: int) -> Iterator[Tile]:
    """All entry bundles, then all hash tiles, of a tree of `size` leaves."""
    for level in (None, *range(MAX_LEVEL + 1)):
        count = level_size(level or 0, size)
        if count == 0:
            return
        for number in range((count + TILE_WIDTH - 1) // TILE_WIDTH):
            yield tile_at(level, number, size)


def encode_bundle(entries: Iterable[bytes]) -> bytes:
    """Join entries, each after its length as a big-endian uint16. Raises TileError for one over 65,535 bytes."""
    try:
        return b"".join([part for entry in entries for part in (_length(len(entry)), entry)])
    except struct.error:
        raise TileError(f"an entry of more than {MAX_ENTRY} bytes") from None


def decode_bundle(bundle: bytes, count: int) -> list[bytes]:
    """Split a bundle of exactly `count` entries. Raises TileError when its bytes are not exactly that."""
    entries = []
    position, end = 0, len(bundle)
    for _ in range(count):
        start = position + 2
        if start > end:
            raise TileError("an entry bundle ends early")
        position = start + (bundle[position] << 8 | bundle[position + 1])
        if position > end:
            raise TileError("an entry bundle ends early")
        entries.append(bundle[start:position])
    if position != end:
        raise TileError("an entry bundle has bytes after its last entry")
    return entries
