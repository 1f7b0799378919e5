"""The log's heads as outsiders get them: signed by its second key too, which holds against quantum computers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from audit.cosignatures import ML_DSA_44, CosignatureVerifier, Cosigner
from audit.keys import load_verifier, write_key
from audit.notes import Note, open_checkpoint, parse_note, sign_note
from audit.reader import Reader
from audit.witnessed import Panel, cosigned_by
from tre.app.settings import LogSettings
from tre.base.home import Home

SECOND_KEY = "log-ml-dsa.key"


def create_second_key(origin: str, seed: bytes, private: Path, public: Path) -> None:
    """Make the second key of the log called `origin` from 32 random bytes, and write its two files."""
    signer = Cosigner(origin, ML_DSA_44, seed)
    write_key(signer.private_text(), str(signer.verifier), private, public)


def load_second_key(path: Path) -> Cosigner:
    """Read the log's second key. Raises NoteError, OSError."""
    return Cosigner.parse(path.read_text("ascii"))


def judge_of(home: Home, settings: LogSettings) -> Callable[[bytes], None]:
    """Return what raises NoteError for a kept head that is not published as cosigned.

    It is one with a signature that is not true, or of fewer of the witnesses that the settings name than their quorum.
    Raises NoteError, OSError for the log's public keys.
    """
    log = load_verifier(home.vkey)
    second = CosignatureVerifier.parse(home.second_vkey.read_text("ascii"))
    panel = Panel(tuple(CosignatureVerifier.parse(one.key) for one in settings.witnesses), settings.quorum)

    def judge(note: bytes) -> None:
        open_checkpoint(note, log, (second, *panel.keys))
        if panel.keys:
            cosigned_by(note, log, panel)

    return judge


class Heads(Collector):
    """The newest head and the newest cosigned one. Its methods may be called from many threads."""

    def __init__(self, log: Reader, second: Cosigner) -> None:
        self._log, self._second = log, second
        self._signed = (b"", "")

    def newest(self) -> str:
        """Return the newest head, with the cosignatures that have arrived for it. Raises LogError, OSError."""
        size, checkpoint = self._log.published()
        cosigned = self._log.cosigned()
        if cosigned is not None and cosigned.size == size:
            return cosigned.checkpoint.decode()
        # Signed once for a head, however often it is asked for.
        signed = self._signed
        if signed[0] != checkpoint:
            note = parse_note(checkpoint)
            more = sign_note(note.text, [self._second]).signatures
            signed = self._signed = (checkpoint, str(Note(note.text, (*note.signatures, *more))))
        return signed[1]

    def cosigned(self) -> str | None:
        """Return the newest head that witnesses cosigned, if there is one. Raises LogError, OSError."""
        found = self._log.cosigned()
        return None if found is None else found.checkpoint.decode()

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Return how many entries the heads have, which anyone may know."""
        found = self._log.cosigned()
        yield GaugeMetricFamily("tre_log_entries", "Entries under the log's newest head", value=self._log.size)
        size = 0 if found is None else found.size
        yield GaugeMetricFamily("tre_log_entries_cosigned", "Entries under the newest cosigned head", value=size)
