"""tlog-tiles: paths have one spelling, bundles are exactly their entries."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.tiles import Tile, TileError, decode_bundle, encode_bundle, parse_path, tile_at, tiles_of


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (Tile(0, 1_234_067), "tile/0/x001/x234/067"),  # the specification's example
        (Tile(0, 0), "tile/0/000"),
        (Tile(63, 999, 255), "tile/63/999.p/255"),
        (Tile(None, 1000, 1), "tile/entries/x001/000.p/1"),
    ],
)
def test_paths(tile: Tile, path: str) -> None:
    assert tile.path == path
    assert parse_path(path) == tile


@pytest.mark.parametrize(
    "path",
    [
        "",
        "tile/0/0",
        "tile/00/000",
        "tile/64/000",
        "tile/0/x000/000",
        "tile/0/001/000",
        "tile/0/x001",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/000\n",
        "tile/0/٠٠٠",
        "tile/0/../000",
        "/tile/0/000",
        "tile/entries/000/",
        "tile/-1/000",
    ],
)
def test_other_spellings_are_refused(path: str) -> None:
    with pytest.raises(TileError):
        parse_path(path)


def test_the_tiles_of_70_000_entries_are_those_of_the_specification() -> None:
    tiles = list(tiles_of(70_000))
    by_level = {level: [one for one in tiles if one.level == level] for level in (None, 0, 1, 2)}
    assert [len(by_level[level]) for level in (None, 0, 1, 2)] == [274, 274, 2, 1]
    assert [by_level[level][-1].width for level in (None, 0, 1, 2)] == [112, 112, 17, 1]
    assert sum(map(len, by_level.values())) == len(tiles)
    assert [one.path for one in tiles_of(256)] == ["tile/entries/000", "tile/0/000", "tile/1/000.p/1"]


def test_there_is_no_empty_tile() -> None:
    assert list(tiles_of(0)) == []
    with pytest.raises(TileError):
        tile_at(1, 0, 255)


@given(st.lists(st.binary(max_size=40), max_size=20))
def test_bundles_are_exactly_their_entries(entries: list[bytes]) -> None:
    bundle = encode_bundle(entries)
    assert decode_bundle(bundle, len(entries)) == entries
    for bad, count in ((bundle + b"\0", len(entries)), (bundle[:-1], len(entries)), (bundle, len(entries) + 1)):
        if bad or count:
            with pytest.raises(TileError):
                decode_bundle(bad, count)


def test_the_longest_entry() -> None:
    assert len(encode_bundle([bytes(65_535)])) == 65_537
    with pytest.raises(TileError):
        encode_bundle([bytes(65_536)])
