"""The form of a reason and of a refusal. The reasons themselves stand in this folder, a family a module.

Placeholders in a sentence are filled from the request, the policy and public facts alone, never from private
values (PRIVACY §1 "Nothing else leaves").
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType


class Kind(Enum):
    """What a refusal means to a caller: its HTTP status and the exit code of the command line."""

    USAGE = (400, 2)
    SIGN_IN = (401, 3)
    REFUSED = (403, 3)
    UNKNOWN = (404, 3)
    METHOD = (405, 2)
    CONFLICT = (409, 3)
    TOO_LARGE = (413, 2)
    MEDIA_TYPE = (415, 2)
    UNPROCESSABLE = (422, 3)
    TOO_MANY = (429, 3)
    BUDGET = (403, 4)
    FAULT = (500, 1)
    UNAVAILABLE = (503, 1)
    NOT_YET = (501, 3)

    @property
    def status(self) -> int:
        """The HTTP status."""
        return int(self.value[0])

    @property
    def exit_code(self) -> int:
        """The exit code of the command line."""
        return int(self.value[1])


@dataclass(frozen=True, slots=True)
class Reason:
    """A stable reason: `code` is `family.name`, `sentence` and `remedy` may hold {placeholders}."""

    code: str
    kind: Kind
    sentence: str
    remedy: str
    explanation: str = ""


_EVERY: dict[str, Reason] = {}


def reason(code: str, kind: Kind, sentence: str, remedy: str, explanation: str = "") -> Reason:
    """Declare a reason once; `explanation` is the longer text of its page in the manual."""
    if code in _EVERY:
        raise ValueError(f"reason {code} is declared twice")
    _EVERY[code] = Reason(code, kind, sentence, remedy, explanation)
    return _EVERY[code]


def every_reason() -> tuple[Reason, ...]:
    """Return all reasons of all families, by code."""
    package = importlib.import_module("tre.base.reasons")
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"tre.base.reasons.{module.name}")
    return tuple(_EVERY[code] for code in sorted(_EVERY))


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the text that a person typed: 1-based line and column, the line itself, the caret's width."""

    line: int
    column: int
    source: str
    width: int = 1

    def caret(self) -> str:
        """Return the source line with a caret line under it."""
        return f"{self.source}\n{' ' * (self.column - 1)}{'^' * max(1, self.width)}"


@dataclass(frozen=True, slots=True)
class Refusal:
    """One reason applied to one request."""

    reason: Reason
    values: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    place: Place | None = None

    @property
    def sentence(self) -> str:
        """What is refused and why."""
        return self.reason.sentence.format_map(self.values)

    @property
    def remedy(self) -> str:
        """How to go on."""
        return self.reason.remedy.format_map(self.values)

    def as_json(self) -> dict[str, object]:
        """Return code, sentence, remedy and, where known, the place."""
        found: dict[str, object] = {
            "code": self.reason.code,
            "sentence": self.sentence,
            "remedy": self.remedy,
        }
        if self.place:
            found["place"] = {
                "line": self.place.line,
                "column": self.place.column,
                "caret": self.place.caret(),
            }
        return found


class Refused(Exception):  # noqa: N818 - a refusal is an answer, not an error
    """Raised with every refusal that is known."""

    def __init__(self, refusals: Iterable[Refusal]) -> None:
        self.refusals = tuple(refusals)
        super().__init__("; ".join(refusal.reason.code for refusal in self.refusals))

    @classmethod
    def because(cls, why: Reason, place: Place | None = None, **values: str) -> Refused:
        """Return a refusal for one reason."""
        return cls((Refusal(why, MappingProxyType(values), place),))
