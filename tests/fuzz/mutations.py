"""What goes wrong while people type, and what people try who want to see what happens."""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random

_TOKEN = re.compile(r"\w+|'[^']*'|\s+|.", re.DOTALL)
_KEYWORDS = re.compile(r"\b(?=(?:FROM|WHERE|GROUP BY|HAVING|ORDER BY|LIMIT|JOIN|UNION|SELECT|AND|ON|OVER)\b)")
_NAME = re.compile(r"\b[a-z]\w*\b")
_STRAY = (
    "(",
    ")",
    ",",
    "'",
    '"',
    "--",
    "/*",
    ";",
    "*",
    ".",
    "::",
    "NOT",
    "SELECT",
    "FROM",
    "NULL",
    "\0",
    "’",
    "\u0430",
    "$$",
    "%",
)

Mutation = Callable[[Random, str], str]


def _dropped(random: Random, text: str) -> str:
    tokens = _TOKEN.findall(text)
    for _ in range(random.choice((1, 1, 2, 4))):
        if len(tokens) > 1:
            tokens.pop(random.randrange(len(tokens)))
    return "".join(tokens)


def _stray(random: Random, text: str) -> str:
    at = random.randrange(len(text) + 1)
    return f"{text[:at]} {random.choice(_STRAY)} {text[at:]}"


def _swapped(random: Random, text: str) -> str:
    """Two names change places."""
    names = sorted(set(_NAME.findall(text)))
    if len(names) < 2:
        return text
    one, other = random.sample(names, 2)
    return re.sub(rf"\b({one}|{other})\b", lambda found: other if found[1] == one else one, text)


def _renamed(random: Random, text: str) -> str:
    """One name stands where another stood."""
    found = list(_NAME.finditer(text))
    if not found:
        return text
    place, other = random.choice(found), random.choice(found)
    return text[: place.start()] + other[0] + text[place.end() :]


def _twice(random: Random, text: str) -> str:
    """A clause stands twice, somewhere."""
    parts = _KEYWORDS.split(text)
    at = random.randrange(len(parts))
    parts.insert(random.randrange(len(parts) + 1), f" {parts[at]} ")
    return "".join(parts)


def _reordered(random: Random, text: str) -> str:
    parts = [f"{part} " for part in _KEYWORDS.split(text)]
    return "".join(random.sample(parts, len(parts)))


def _cut(random: Random, text: str) -> str:
    return text[: random.randrange(1, len(text) + 1)]


def _nested(random: Random, text: str) -> str:
    """A name or the whole text stands in brackets, in a chain, or in queries, ever deeper."""
    depth = random.choice((2, 5, 20, 60, 400))
    found = list(_NAME.finditer(text))
    place = random.choice(found) if found else re.match("", text)
    assert place is not None
    name = place[0] or "1"
    deeper = random.choice(
        (
            "(" * depth + name + ")" * depth,
            " + ".join([name] * depth),
            " OR ".join([f"{name} = 1"] * depth),
            " || ".join([name] * depth),
            "NOT " * depth + name,
            "CASE WHEN TRUE THEN " * depth + name + " END" * depth,
            "ABS(" * depth + name + ")" * depth,
            f"({'SELECT * FROM (' * min(depth, 60)}{text}{') x' * min(depth, 60)})",
            " UNION ALL ".join([f"({text})"] * min(depth, 12)),
        )
    )
    return text[: place.start()] + deeper + text[place.end() :]


def _case(random: Random, text: str) -> str:
    return random.choice((text.lower(), text.upper(), text.swapcase(), text.replace(" ", "\n\t/* x */ ")))


MUTATIONS: tuple[Mutation, ...] = (
    _dropped, _dropped, _stray, _swapped, _renamed, _renamed, _twice, _reordered, _cut, _nested, _case,
)  # fmt: skip


def mutated(random: Random, text: str) -> str:
    """Return `text` with one to three things gone wrong."""
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        text = random.choice(MUTATIONS)(random, text) or "SELECT"
    return text
