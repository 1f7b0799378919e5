"""Showing new heads to the witnesses that the settings name, in the process that writes the log, beside its answers."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from audit import LogError, LogReader, cosigned
from audit.cosignatures import CosignatureVerifier, Cosigner
from audit.pushing import Told, Word, posting, push
from tre.app.settings import LogSettings
from tre.app.telling import tell
from tre.base.reasons import Refused, witness

_REASONS = {Word.ABSENT: witness.ABSENT, Word.FALSE: witness.FALSE, Word.CONTRADICTS: witness.CONTRADICTS}
_ENDING = 1.0


class Witnessing(Collector):
    """Keeps the newest cosigned head new. What lasts is that head: after a restart each witness is asked again.

    It counts what each witness said, for the metrics.
    """

    def __init__(self, folder: Path, settings: LogSettings, second: Cosigner) -> None:
        """Begin; nothing is shown where the settings name no witness.

        :param folder: the log's; `second`, its second key, signs what is kept.
        """
        self._folder, self._settings, self._second = folder, settings, second
        self._witnesses = [(CosignatureVerifier.parse(one.key), posting(one.url)) for one in settings.witnesses]
        self._said: dict[str, Word | None] = {}
        self._counts: Counter[tuple[str, Word]] = Counter()
        self._done, self._again = b"", 0.0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="witnessing", daemon=True)
        if self._witnesses:
            self._thread.start()

    def stop(self) -> None:
        """Show no more. A witness that has not answered is not waited for."""
        self._stopping.set()
        if self._witnesses:
            self._thread.join(_ENDING)

    def collect(self) -> Iterator[CounterMetricFamily]:
        """Return how often each witness said what."""
        shown = CounterMetricFamily("tre_heads_shown", "Heads shown to witnesses", labels=["witness", "word"])
        for (name, word), count in list(self._counts.items()):
            shown.add_metric([name, word.value], count)
        yield shown

    def _run(self) -> None:
        while not self._stopping.wait(self._settings.every):
            try:
                self._show()
                self._said.pop("", None)
            except (LogError, OSError) as error:
                if "" not in self._said and not self._stopping.is_set():
                    self._said[""] = None
                    _tell_not_kept(error)

    def _show(self) -> None:
        """Show the newest head, unless all have cosigned it already and lately."""
        with LogReader(self._folder) as log:
            newest = log.published().checkpoint
            if newest == self._done and time.monotonic() < self._again:
                return
            place = self._folder / cosigned.NAME
            told = push(log, self._witnesses, place, [self._second], quorum=self._settings.quorum)
        self._done = newest if all(one.word is Word.COSIGNED for one in told) else b""
        self._again = time.monotonic() + self._settings.refresh
        for settings, one in zip(self._settings.witnesses, told, strict=True):
            self._counts[one.witness, one.word] += 1
            self._tell(settings.key, one)

    def _tell(self, key: str, one: Told) -> None:
        """Tell the operator what is wrong with a witness, once for as long as it stays so."""
        if one.word in _REASONS and self._said.get(key) is not one.word and not self._stopping.is_set():
            tell(Refused.because(_REASONS[one.word], witness=one.witness, problem=one.sentence))
        self._said[key] = one.word


def _tell_not_kept(error: LogError | OSError) -> None:
    problem = error.strerror if isinstance(error, OSError) else str(error)
    tell(Refused.because(witness.NOT_KEPT, problem=str(problem)))
