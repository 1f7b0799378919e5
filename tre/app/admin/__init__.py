"""The administrative commands on a home (`tre.cli.admin.Admin`), by concern."""

from __future__ import annotations

from pathlib import Path

from tre.app.admin.data import DataCommands
from tre.app.admin.entitling import EntitlingCommands
from tre.app.admin.keys import KeyCommands
from tre.app.admin.people import PeopleCommands
from tre.app.admin.reviewing import ReviewingCommands
from tre.app.admin.running import RunningCommands
from tre.app.admin.signing_in import SigningInCommands
from tre.app.compose import House
from tre.base.home import Home

__all__ = ["HomeAdmin", "open_admin"]


def open_admin(home: Path | None) -> HomeAdmin:
    """Return the commands on `home`; None for those that need none."""
    return HomeAdmin(None if home is None else House(Home(home.absolute())))


class HomeAdmin(
    DataCommands,
    EntitlingCommands,
    KeyCommands,
    PeopleCommands,
    ReviewingCommands,
    RunningCommands,
    SigningInCommands,
):
    """Implements the commands. Every change is an entry of the log before it is acknowledged."""
