"""Progress as people see it: the time that has passed, against the time at which an answer leaves; nothing else."""

from __future__ import annotations

import sys
from collections.abc import Callable
from html import escape
from importlib import import_module
from typing import Any, Protocol

Progress = Callable[[float, str], None]
"""Takes the seconds waited and the state, again and again."""
_BAR = 24
_UNDER_WAY = ("queued", "running")


class Waited(Protocol):
    """What a bar is about."""

    @property
    def release_seconds(self) -> float | None: ...
    @property
    def running_seconds(self) -> float | None: ...


def shower(progress: bool | Progress | None, query: Waited) -> Progress:
    """Return what shows the waiting for `query`: by default a bar in a notebook or at a terminal, else nothing."""
    if callable(progress):
        return progress
    if progress is False or (progress is None and not (_in_notebook() or sys.stderr.isatty())):
        return _quiet
    return _NotebookBar(query) if _in_notebook() else _TerminalBar(query)


def _quiet(seconds: float, state: str) -> None:
    """Say nothing."""


def _told(query: Waited, seconds: float, state: str) -> tuple[float | None, str]:
    """Return how much of the time to the release has passed (None: not known), and words for it."""
    total, running = query.release_seconds, query.running_seconds
    if state not in _UNDER_WAY:
        return 1.0, f"{state} after {seconds:.1f} s"
    if state == "queued" or total is None or running is None:
        return None, f"{state}, {seconds:.0f} s"
    if running > total:
        return 1.0, f"{state}, {running:.0f} s: past the release time, ends at its limit"
    return running / total if total else 1.0, f"{state}, {running:.1f} of {total:.1f} s"


class _TerminalBar:
    """One line on standard error, written over again and again."""

    def __init__(self, query: Waited) -> None:
        self._query = query
        self._longest = 0

    def __call__(self, seconds: float, state: str) -> None:
        share, words = _told(self._query, seconds, state)
        done = round(_BAR * (share or 0.0))
        line = f"[{'█' * done}{' ' * (_BAR - done)}] {words}"
        self._longest = max(self._longest, len(line))
        end = "" if state in _UNDER_WAY else "\n"
        sys.stderr.write(f"\r{line.ljust(self._longest)}{end}")
        sys.stderr.flush()


class _NotebookBar:
    """One output of the cell, updated in place."""

    def __init__(self, query: Waited) -> None:
        self._query = query
        self._handle: Any = None

    def __call__(self, seconds: float, state: str) -> None:
        shown: Any = import_module("IPython.display")
        share, words = _told(self._query, seconds, state)
        value = "" if share is None else f' value="{share:.3f}"'
        drawn = shown.HTML(f'<progress max="1"{value} aria-label="query"></progress> {escape(words)}')
        if self._handle is None:
            self._handle = shown.display(drawn, display_id=True)
        else:
            self._handle.update(drawn)


def _in_notebook() -> bool:
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None and hasattr(ipython, "get_ipython") else None
    return shell is not None and hasattr(shell, "kernel")
