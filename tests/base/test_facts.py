"""What follows from a frozen object is computed once, and never of another object than it was computed of."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tre.base.facts import fact

asked: list[int] = []


@dataclass(frozen=True)
class Square:
    side: int


@fact
def area(square: Square) -> int:
    asked.append(square.side)
    return square.side**2


def test_a_fact_is_computed_once_an_object_and_anew_for_a_changed_copy() -> None:
    asked.clear()
    small = Square(2)
    assert [area(small), area(small), area(replace(small, side=3))] == [4, 4, 9]
    assert asked == [2, 3]


def test_what_is_known_of_an_object_is_no_part_of_what_it_is() -> None:
    known, fresh = Square(2), Square(2)
    area(known)
    assert (known, hash(known), repr(known)) == (fresh, hash(fresh), repr(fresh))
