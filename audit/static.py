"""Static C2SP trees: writing one from a log, and verifying one from a folder or by URL."""

import os
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from functools import lru_cache
from http.client import HTTPException
from pathlib import Path
from typing import NoReturn

from audit.merkle import (
    EMPTY_ROOT,
    HASH_SIZE,
    TILE_HEIGHT,
    NodeReader,
    ProofError,
    consistency_proof,
    fold,
    root_hash,
    verify_consistency,
)
from audit.notes import Checkpoint, NoteError, Verifier, open_checkpoint, parse_checkpoint, parse_note
from audit.reader import Reader
from audit.replay import Demands, Levels, OldHead, Replay, judge_history, judge_older
from audit.report import Report, Section
from audit.tiles import TILE_WIDTH, TileError, decode_bundle, tile_at, tiles_of

MAX_RESOURCE = 256 * (2 + 65_535)


class FetchError(Exception):
    """A resource that a static tree should have and does not hand out."""


Fetch = Callable[[str], bytes]
"""C2SP path → bytes. Raises FetchError where there is none, OSError."""


def export(reader: Reader, out: Path) -> int:
    """Write the static tree of a log into the folder `out`, heads last; return the number of entries.

    A tree already there is brought up to date. Raises OSError, LogError.
    """
    cosigned = reader.cosigned()  # first, so that the head does not lie behind it
    checkpoint = reader.checkpoint().encode()
    size = parse_checkpoint(parse_note(checkpoint).text).size
    for tile in tiles_of(size):
        path = out / tile.path
        # What tiles hold never changes, so that a full one is written once.
        if tile.width < TILE_WIDTH or not path.exists():
            _write(path, reader.resource(tile.path))
    if cosigned is not None:
        _write(out / "cosigned", cosigned.checkpoint)
    _write(out / "checkpoint", checkpoint)
    return size


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(path.name + ".new")
    fresh.write_bytes(data)
    os.replace(fresh, path)


def from_folder(folder: Path) -> Fetch:
    """Read resources from an exported tree."""

    def fetch(path: str) -> bytes:
        try:
            return (folder / path).read_bytes()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            raise FetchError(f"{path} is missing") from None

    return fetch


def from_url(base: str, token: str | None = None, timeout: float = 30.0) -> Fetch:
    """Read resources below a URL, with a bearer token where one is given.

    Redirects are refused, so that the token goes nowhere else. Raises ValueError for anything but https, or http
    without a token, or http to this machine.
    """
    parts = urllib.parse.urlsplit(base)
    local = parts.hostname in ("localhost", "127.0.0.1", "::1")
    if parts.scheme != "https" and not (parts.scheme == "http" and (local or token is None)):
        raise ValueError("an https URL is needed (http only to this machine, or without a token)")
    opener = urllib.request.build_opener(NoRedirect)
    headers = {"Authorization": f"Bearer {token}"} if token else {}

    def fetch(path: str) -> bytes:
        request = urllib.request.Request(f"{base.rstrip('/')}/{path}", headers=headers)  # noqa: S310
        try:
            with opener.open(request, timeout=timeout) as answer:
                data: bytes = answer.read(MAX_RESOURCE + 1)
        except urllib.error.HTTPError as error:
            error.close()
            raise FetchError(f"{path}: HTTP {error.code}") from None
        except HTTPException as error:
            raise OSError(f"{path}: {type(error).__name__}") from error
        if len(data) > MAX_RESOURCE:
            raise FetchError(f"{path} is too long")
        return data

    return fetch


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """Refuses to be sent elsewhere."""

    def redirect_request(self, *_: object) -> NoReturn:
        raise FetchError("the server redirects elsewhere")


def verify_tree(fetch: Fetch, log: Verifier, demands: Demands, *, entries: bool = True) -> Report:
    """Verify a static tree; without `entries`, its head and the older heads alone. Raises OSError."""
    report = Report(log.name)
    section = report.section("the newest head is signed by the log's key")
    section.count = 1
    try:
        note = fetch("checkpoint")
        head = open_checkpoint(note, log)
    except (FetchError, NoteError) as error:
        section.problem(str(error))
        return report
    report.adopt(head, note)
    if entries:
        _verify_entries(report, fetch, head, demands)
    else:
        _verify_heads(report, fetch, head, demands.older)
    return report


def _verify_entries(report: Report, fetch: Fetch, head: Checkpoint, demands: Demands) -> None:
    replay, levels = Replay(one.size for one in demands.older), Levels()
    section = report.section("the entries, hashed again, lead to the head by way of its tiles")
    try:
        for tile in tiles_of(head.size):
            data = fetch(tile.path)
            if tile.level is None:
                replay.feed(decode_bundle(data, tile.width), levels)
                section.count += tile.width
            elif data != levels.hashes(tile.level, tile.first, tile.width):
                section.problem(f"{tile.path} is not the tile of these entries")
    except (FetchError, TileError) as error:
        section.problem(str(error))
    if replay.tree.size != head.size or replay.tree.root() != head.root:
        section.problem("the entries do not lead to the head's root")
    judge_older(report, demands.older, replay.roots, replay.tree.size)
    judge_history(report, replay.history, demands)


def _verify_heads(report: Report, fetch: Fetch, head: Checkpoint, older: tuple[OldHead, ...]) -> None:
    node = _tile_nodes(fetch, head.size)
    section = report.section("the tiles lead to the head's root")
    section.count = 1
    section.notes.append("entries were not read: the head and its consistency alone")
    proved: dict[int, bytes] = {}
    try:
        if root_hash(head.size, node) != head.root:
            section.problem("the tiles do not lead to the head's root")
        proved = {one.size: one.root for one in older if _is_contained(one, head, node, section)}
    except (FetchError, TileError) as error:
        section.problem(str(error))
    judge_older(report, older, proved, head.size)


def _tile_nodes(fetch: Fetch, size: int) -> NodeReader:
    @lru_cache(maxsize=256)
    def hashes(level: int, number: int) -> bytes:
        tile = tile_at(level, number, size)
        data = fetch(tile.path)
        if len(data) != tile.width * HASH_SIZE:
            raise FetchError(f"{tile.path} has a wrong length")
        return data

    def node(height: int, index: int) -> bytes:
        level, rest = divmod(height, TILE_HEIGHT)
        number, place = divmod(index << rest, TILE_WIDTH)
        data = hashes(level, number)
        return fold([data[at * HASH_SIZE :][:HASH_SIZE] for at in range(place, place + (1 << rest))])

    return node


def _is_contained(old: OldHead, head: Checkpoint, node: NodeReader, section: Section) -> bool:
    if old.size == 0:
        return old.root == EMPTY_ROOT
    if old.size > head.size:
        return False
    section.count += 1
    try:
        proof = consistency_proof(old.size, head.size, node)
        verify_consistency(old.size, head.size, proof, old.root, head.root)
    except ProofError:
        return False
    return True
