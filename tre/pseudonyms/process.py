"""The broker's handle on the process that makes tokens: whole columns go out, tokens come back, no key is held here.

What the process protects: keys are not in the memory of the broker, which reads the requests of strangers, nor in
its core files, and no process of the same user (root excepted) can trace them out of the child. What it does not
protect, in the embedded default: the child runs as the broker's user, so who controls the broker altogether can read
`keys/` as well; who may ask for tokens can try all NHS numbers; and onboarding sees the identifiers in the clear. A
deployment that needs more runs onboarding under a user of its own, who alone can read `keys/`.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import numpy as np

from tre.base import frames
from tre.base.reasons import Refused
from tre.base.reasons import pseudonyms as reasons
from tre.catalogue import IdentifierType
from tre.pseudonyms.blocks import BLOCK, Flags, Identifiers
from tre.pseudonyms.keys import Circle, Scope
from tre.pseudonyms.tokens import TokenColumn, gathered, spread

_SECONDS = 60.0
_TOLD = {
    told.code: told
    for told in (
        reasons.KEYRING_MISSING,
        reasons.KEYRING_DAMAGED,
        reasons.KEYRING_EXPOSED,
        reasons.EPOCH_UNKNOWN,
        reasons.FOREIGN,
    )
}


class Tokeniser:
    """One process that has opened the keyring in the folder `keys`; a context manager; questions are asked one by one.

    Raises Refused (pseudonyms.keyring-*, pseudonyms.process-failed). The process ends with the thread that made it.
    """

    def __init__(self, keys: Path) -> None:
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-m", "tre.pseudonyms.child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={"LC_ALL": "C.UTF-8", "TZ": "UTC"},
            cwd="/",
            bufsize=0,
            pipesize=frames.PIPE,
        )
        try:
            self._exchange(json.dumps({"keys": str(keys.resolve())}).encode())
        except Refused:
            self.close()
            raise

    def for_data_set(self, name: str, identifiers: Identifiers) -> TokenColumn:
        """Return the tokens of a data set's side table, in the newest epoch; they are shown to nobody.

        Raises Refused (pseudonyms.process-failed).
        """
        asked = {"do": "for data set", "data set": name, "kind": identifiers.kind.value}
        _, about, tokens = self._exchange(json.dumps(asked).encode(), identifiers.blocks.data)
        return _column(Circle.DATA_SET, name, identifiers.kind, identifiers.present, about, tokens)

    def for_project(self, project: str, column: TokenColumn, epoch: int | None = None) -> TokenColumn:
        """Return a data set's tokens re-encrypted for `project`: the newest epoch unless another is named.

        Tokens of one project, type and epoch are equal across its data sets; those of two projects never are.
        Raises Refused (pseudonyms.foreign, pseudonyms.epoch-unknown, pseudonyms.process-failed), ValueError for
        tokens that are a project's already.
        """
        scope = column.scope
        if scope.circle is not Circle.DATA_SET:
            raise ValueError("only tokens of a data set are re-encrypted")
        asked = {
            "do": "for project",
            "data set": scope.name,
            "kind": scope.kind.value,
            "source epoch": scope.epoch,
            "key id": column.key_id,
            "project": project,
            "epoch": epoch,
        }
        tokens, present = gathered(column.tokens)
        _, about, made = self._exchange(json.dumps(asked).encode(), np.ascontiguousarray(tokens).data)
        return _column(Circle.PROJECT, project, scope.kind, present, about, made)

    def close(self) -> None:
        """End the process and reap it."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                with suppress(OSError):
                    pipe.close()

    def __enter__(self) -> Tokeniser:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _exchange(self, *parts: bytes | memoryview) -> tuple[bytearray, ...]:
        if self._process.stdin is None or self._process.stdout is None:
            raise Refused.because(reasons.PROCESS_FAILED)
        try:
            with self._lock:
                frames.send(self._process.stdin.fileno(), *parts)
                reply = frames.receive(self._process.stdout.fileno(), time.monotonic() + _SECONDS)
        except (frames.Broken, OSError, ValueError):
            self._process.kill()  # what comes after a lost answer would be taken for it
            raise Refused.because(reasons.PROCESS_FAILED) from None
        if reply[0] == b"refused":
            raise Refused.because(_TOLD[reply[1].decode()], **json.loads(reply[2]))
        return reply


def _column(
    circle: Circle, name: str, kind: IdentifierType, present: Flags, about: bytearray, tokens: bytearray
) -> TokenColumn:
    told = json.loads(about)
    made = np.frombuffer(tokens, dtype=np.uint8).reshape(-1, BLOCK)
    return TokenColumn(Scope(circle, name, kind, told["epoch"]), told["key id"], spread(made, present))
