"""What all commands stand on: the home that they act on, and who acts."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

from tre.app.compose import House

OPERATOR = "operator"
"""Who acts where only the owner of the home can: the bootstrap has no signed-in person."""


class AtHome:
    """Commands on one home, or on none."""

    def __init__(self, house: House | None) -> None:
        self._house = house

    @property
    def house(self) -> House:
        """The home that the commands act on."""
        if self._house is None:
            raise LookupError("this command needs a home; this is a bug, report it")
        _ = self._house.settings
        return self._house


def end_of(last: date) -> datetime:
    """A last day lasts to its end, UTC."""
    return datetime.combine(last, time(23, 59, 59), UTC)


def done(_result: object) -> None:
    """Drop what a change returns: the command says what it did."""
