"""The commands on what people hold: credentials, tokens, their place here."""

from __future__ import annotations

import argparse

from tre.cli.administering import at_home
from tre.cli.output import print_table


def credential_attest(options: argparse.Namespace) -> int:
    """Attest a credential."""
    at_home().credential_attest(options.id, options.kind, options.until, options.by)
    print(f"{options.id} holds {options.kind} until {options.until}")
    return 0


def credential_revoke(options: argparse.Namespace) -> int:
    """Take a credential back."""
    at_home().credential_revoke(options.id, options.kind, options.by)
    print(f"{options.id} holds {options.kind} no more")
    return 0


def person_end(options: argparse.Namespace) -> int:
    """Let a person leave."""
    at_home().person_end(options.id, options.by)
    print(f"ended {options.id}")
    return 0


def sidecar_erase(options: argparse.Namespace) -> int:
    """Have the texts of a project or a person erased."""
    kind, name = ("person", options.person) if options.project is None else ("project", options.project)
    at_home().sidecar_erase(kind, name, options.by, options.second)
    print(f"erased what was sealed of the {kind} {name}; back-ups made before still hold it and their keys")
    return 0


def tokens_list(options: argparse.Namespace) -> int:
    """List the tokens in use."""
    table = at_home().tokens()
    print_table(table.names, table.rows)
    return 0


def tokens_revoke(options: argparse.Namespace) -> int:
    """End one token, or all of a person."""
    if options.person is None:
        at_home().token_revoke(options.token)
        print(f"revoked {options.token}")
    else:
        print(f"revoked {at_home().tokens_revoke(options.person)} tokens of {options.person}")
    return 0
