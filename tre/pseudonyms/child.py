"""The process that holds the keys of pseudonyms. Started as `python -I -m tre.pseudonyms.child`; speaks frames.

Two questions are answered, whole columns each: identifiers → tokens of a data set, and those → tokens of a project.
Identifiers never come back out: going back is a request of two people, one pseudonym at a time (GOVERNANCE §5), and
is not among the questions.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tre.base import frames
from tre.base.confine import confine, private_pipes
from tre.base.reasons import Refused
from tre.base.reasons import pseudonyms as reasons
from tre.catalogue import IdentifierType
from tre.pseudonyms.blocks import BLOCK, Bytes, well_formed
from tre.pseudonyms.cipher import decrypt, encrypt
from tre.pseudonyms.keyring import Keyring, open_keyring
from tre.pseudonyms.keys import Circle, Scope, derive

Reply = tuple[bytes | memoryview, ...]


def main() -> None:
    """Open the keyring, then answer until the pipe closes."""
    commands, replies = private_pipes()
    confine()
    keys = Path(json.loads(frames.receive(commands)[0])["keys"])
    try:
        keyring = open_keyring(keys)
    except Refused as refused:
        frames.send(replies, *_told(refused))
        return
    frames.send(replies, b"ok")
    while True:
        try:
            asked, column = frames.receive(commands)
        except frames.Broken:
            return
        frames.send(replies, *_answered(keyring, json.loads(asked), column))


def answer(keyring: Keyring, asked: Mapping[str, Any], column: bytes | bytearray) -> Reply:
    """Return `ok`, the scope's epoch and key id as JSON, and the tokens of `column`. Raises Refused."""
    given = np.frombuffer(column, dtype=np.uint8).reshape(-1, BLOCK)
    kind = IdentifierType(asked["kind"])
    if asked["do"] == "for data set":
        return _tokens(keyring, Scope(Circle.DATA_SET, asked["data set"], kind, keyring.newest), given)
    source = Scope(Circle.DATA_SET, asked["data set"], kind, asked["source epoch"])
    key = derive(keyring.secret(source.epoch), source)
    if asked["key id"] != key.key_id:
        raise Refused.because(reasons.FOREIGN)
    blocks = decrypt(key.key, given)
    epoch = keyring.newest if asked["epoch"] is None else asked["epoch"]
    return _tokens(keyring, Scope(Circle.PROJECT, asked["project"], kind, epoch), blocks)


def _tokens(keyring: Keyring, scope: Scope, blocks: Bytes) -> Reply:
    # Of no block but those of the declared type is a token made, whoever asks and wherever it came from.
    if not well_formed(blocks, scope.kind):
        raise Refused.because(reasons.FOREIGN)
    key = derive(keyring.secret(scope.epoch), scope)
    about = {"epoch": scope.epoch, "key id": key.key_id}
    return b"ok", json.dumps(about).encode(), encrypt(key.key, blocks).data


def _answered(keyring: Keyring, asked: Mapping[str, Any], column: bytes | bytearray) -> Reply:
    try:
        return answer(keyring, asked, column)
    except Refused as refused:
        return _told(refused)


def _told(refused: Refused) -> Reply:
    first = refused.refusals[0]
    return b"refused", first.reason.code.encode(), json.dumps(dict(first.values)).encode()


if __name__ == "__main__":
    main()
