"""Files as one ZIP archive, handed on while it is made: nothing of it waits for the rest."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import groupby


def zipped(files: Iterable[tuple[str, bytes]], at: datetime) -> Iterator[bytes]:
    """Yield an archive of files; pieces of one name follow each other and are one file.

    :param at: the time that all files have.
    """
    out = _Passing()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, pieces in groupby(files, key=lambda one: one[0]):
            info = zipfile.ZipInfo(name, at.timetuple()[:6])
            info.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(info, "w", force_zip64=True) as file:
                for _, piece in pieces:
                    file.write(piece)
                    yield out.take()
            yield out.take()
    yield out.take()


class _Passing(io.RawIOBase):
    """Takes what is written until it is taken on; it cannot be sought in, so that nothing is written later."""

    def __init__(self) -> None:
        self._held = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        piece = bytes(data)  # type: ignore[call-overload]
        self._held += piece
        return len(piece)

    def take(self) -> bytes:
        held = bytes(self._held)
        self._held.clear()
        return held
