"""YAML text → plain values that know where they stand (YAML 1.2, exact numbers, nothing that hides or grows).

The events are ruamel.yaml's; what they mean is decided here, so that `no` stays a word, `1e-7` stays exact and a
second `epsilon` is an error instead of the answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
    StreamStartEvent,
)

from tre.base.reasons import Place, Reason, Refusal, Refused
from tre.base.reasons import policy as reasons

Path = tuple[str | int, ...]
"""Where a value stands in the document: keys and positions from the top."""

LARGEST = 1 << 19  # characters
_DEEPEST = 12
_INTEGER = re.compile(r"[-+]?[0-9]{1,30}")
_DECIMAL = re.compile(r"[-+]?(\.[0-9]{1,30}|[0-9]{1,30}(\.[0-9]{0,30})?)([eE][-+]?[0-9]{1,2})?")
_CONSTANTS = {"true": True, "false": False, "null": None, "~": None, "": None}


@dataclass(frozen=True, slots=True)
class Written:
    """A document's content, and the places of its keys and of its values."""

    content: Any
    keys: Mapping[Path, Place]
    values: Mapping[Path, Place]

    def place(self, path: Path, *, of_key: bool = False) -> Place | None:
        """Return where `path` stands, or the nearest part around it that stands anywhere."""
        for known in (self.keys, self.values) if of_key else (self.values, self.keys):
            if path in known:
                return known[path]
        return self.place(path[:-1], of_key=True) if path else None


def read_yaml(text: str) -> Written:
    """Return what `text` says: dicts, lists, str, int, Decimal, bool and None. Raises Refused with every fault."""
    if len(text) > LARGEST:
        raise Refused.because(reasons.TOO_LARGE, limit=str(LARGEST))
    reader = _Reader(text)
    content = reader.document()
    if reader.faults:
        raise Refused(reader.faults)
    return Written(content, MappingProxyType(reader.keys), MappingProxyType(reader.values))


class _Reader:
    def __init__(self, text: str) -> None:
        self.lines = text.splitlines() or [""]
        self.events = self._events(text)
        self.keys: dict[Path, Place] = {}
        self.values: dict[Path, Place] = {}
        self.faults: list[Refusal] = []

    def document(self) -> Any:
        start = next(self.events)
        if isinstance(start, StreamEndEvent):
            raise Refused.because(reasons.EMPTY)
        if isinstance(start, DocumentStartEvent) and start.version not in (None, (1, 2)):
            raise Refused.because(reasons.YAML, self._at(start), problem="a policy is YAML 1.2")
        content = self._value(next(self.events), ())
        next(self.events)
        after = next(self.events)
        if not isinstance(after, StreamEndEvent):
            raise Refused.because(reasons.SEVERAL, self._at(after))
        return content

    def _events(self, text: str) -> Iterator[Event]:
        """Yield ruamel's events. Its errors may stand anywhere, so they end the reading."""
        try:
            for event in YAML(typ="safe", pure=True).parse(text):
                if not isinstance(event, StreamStartEvent):
                    yield event
        except YAMLError as error:
            refused = self._broken(error)
        else:
            return
        raise refused

    def _broken(self, error: YAMLError) -> Refused:
        mark = getattr(error, "problem_mark", None)
        place = self._place(mark.line, mark.column) if mark else None
        problem = getattr(error, "problem", None) or "it holds a character that YAML does not allow"
        found = Refusal(reasons.YAML, {"problem": problem}, place)
        return Refused([*self.faults, found])

    def _value(self, event: Event, path: Path) -> Any:
        self.values[path] = self._at(event)
        if len(path) > _DEEPEST:
            raise Refused.because(reasons.TOO_DEEP, self._at(event), limit=str(_DEEPEST))
        self._plain(event)
        if isinstance(event, MappingStartEvent):
            return self._mapping(path)
        if isinstance(event, SequenceStartEvent):
            return self._sequence(path)
        return _scalar(event) if isinstance(event, ScalarEvent) else None

    def _plain(self, event: Event) -> None:
        """Note what a policy does not use: anchors, aliases, tags."""
        if isinstance(event, AliasEvent) or getattr(event, "anchor", None):
            self._fault(reasons.ALIAS, event)
        elif tag := getattr(event, "tag", None):
            self._fault(reasons.TAG, event, tag=str(tag))

    def _mapping(self, path: Path) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while not isinstance(event := next(self.events), MappingEndEvent):
            self._plain(event)
            if not isinstance(event, ScalarEvent):
                raise Refused([*self.faults, Refusal(reasons.YAML, {"problem": "a key is a word"}, self._at(event))])
            key = str(event.value)
            here = (*path, key)
            if key in found:
                self._fault(reasons.DUPLICATE, event, key=key, first=str(self.keys[here].line))
                self._skip()
                continue
            self.keys[here] = self._at(event)
            found[key] = self._value(next(self.events), here)
        return found

    def _skip(self) -> None:
        """Read the value of a key that stands there already, for its faults alone."""
        kept = dict(self.keys), dict(self.values)
        self._value(next(self.events), ("second",))
        self.keys, self.values = kept

    def _sequence(self, path: Path) -> list[Any]:
        found: list[Any] = []
        while not isinstance(event := next(self.events), SequenceEndEvent):
            found.append(self._value(event, (*path, len(found))))
        return found

    def _fault(self, why: Reason, event: Event, **values: str) -> None:
        self.faults.append(Refusal(why, values, self._at(event)))

    def _at(self, event: Event) -> Place:
        mark = event.start_mark
        end = event.end_mark
        width = end.column - mark.column if end.line == mark.line else 1
        return self._place(mark.line, mark.column, width)

    def _place(self, line: int, column: int, width: int = 1) -> Place:
        source = self.lines[line] if line < len(self.lines) else ""
        return Place(line + 1, column + 1, source, max(1, width))


def _scalar(event: ScalarEvent) -> Any:
    """Resolve a plain scalar by the YAML 1.2 core schema; dates stay text, infinities too, quoted is text."""
    text = str(event.value)
    if event.style is not None:
        return text
    if text.lower() in _CONSTANTS and text in (text.lower(), text.capitalize(), text.upper()):
        return _CONSTANTS[text.lower()]
    if _INTEGER.fullmatch(text):
        return int(text)
    return Decimal(text) if _DECIMAL.fullmatch(text) else text
