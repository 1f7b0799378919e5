"""The commands that keep a home: keys, pseudonyms, back-ups."""

from __future__ import annotations

import argparse

from tre.cli.administering import admin, at_home
from tre.cli.output import print_table


def rotate_issuer(options: argparse.Namespace) -> int:
    """Sign tokens with another key."""
    kid = at_home().key_rotate_issuer(distrust=options.distrust_older)
    print(f"tokens are signed with {kid} from now on")
    print("older tokens are refused" if options.distrust_older else "older tokens are taken until they expire")
    return 0


def rotate_master(options: argparse.Namespace) -> int:
    """Wrap the keys of encrypted texts under another master key."""
    at_home().key_rotate_master()
    print("the master key was replaced; back up `keys/` and the control database together")
    return 0


def pseudonym_epoch(options: argparse.Namespace) -> int:
    """Begin a new epoch of pseudonyms."""
    print(f"epoch {at_home().pseudonym_epoch()}; versions that are added from now on have its tokens")
    return 0


def pseudonym_check(options: argparse.Namespace) -> int:
    """Make a project's tokens, show none."""
    table = at_home().pseudonym_check(options.dataset, options.project, options.epoch)
    print_table(table.names, table.rows)
    return 0


def backup(options: argparse.Namespace) -> int:
    """Copy the home."""
    entries = at_home().backup(options.to, options.keys)
    print(f"backed up to {options.to}; its log has {entries} entries and verifies")
    print(f"the keys are in {options.keys or options.to / 'keys'}: with the rest together they are everything")
    return 0


def restore(options: argparse.Namespace) -> int:
    """Make a home of a back-up."""
    admin(None).restore(options.source, options.keys, options.home)
    print(f"restored {options.home}; set TRE_HOME to it, and verify before you serve")
    return 0
