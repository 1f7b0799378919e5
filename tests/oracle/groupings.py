"""Productions of ROLLUP, CUBE and GROUPING SETS (PRIVACY §2): of persons' groups, and within a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.oracle.grammar import Grammar


def grouped_by(grammar: Grammar, keys: list[str]) -> str:
    """Return what stands after GROUP BY, so that the keys' values leave in some of several sets or in the only one."""
    listed = ", ".join(keys)
    return str(
        grammar.pick(
            "group by",
            {
                "keys": lambda: listed,
                "rollup": lambda: f"ROLLUP ({bracketed(keys)})",
                "cube": lambda: f"CUBE ({bracketed(keys)})",
                "sets": lambda: f"GROUPING SETS (({listed}), {', '.join(['()', *(f'({one})' for one in keys)])})",
                "with rollup": lambda: f"{bracketed(keys)} WITH ROLLUP" if not grammar.plain else listed,
                "beside": lambda: f"({keys[0]}), ROLLUP ({bracketed(keys[1:] or keys)})",
            },
        )
    )


def within_a_person(grammar: Grammar, unit: str, keys: list[str]) -> str:
    """Return what stands after GROUP BY so that every grouping set contains the person's key."""
    listed, rest = ", ".join([unit, *keys]), keys or [unit]
    crossed = [unit, *keys] if grammar.loose and grammar.chance(0.1) else rest
    return str(
        grammar.pick(
            "inner group by",
            {
                "keys": lambda: listed,
                "rollup": lambda: f"{unit}, ROLLUP ({bracketed(rest)})",
                "cube": lambda: f"CUBE ({bracketed(crossed)})" + (f", {unit}" if crossed is rest else ""),
                "sets": lambda: f"GROUPING SETS (({listed}), ({unit}))",
            },
        )
    )


def bracketed(keys: list[str]) -> str:
    """Return keys as ROLLUP and CUBE take them: comparisons stand in brackets."""
    return ", ".join(f"({one})" for one in keys)
