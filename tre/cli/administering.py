"""The commands on a home: each one call on `Admin`, and what is printed of it."""

from __future__ import annotations

import argparse
import os
import re
from pathlib import Path

from tre.base.reasons import Refused
from tre.base.reasons.cli import FILE_MISSING, HOME_MISSING, POLICY_DIFF, SOURCE_URL
from tre.cli.admin import Admin, NewPerson, NewProject
from tre.cli.output import print_table, progress_bar


def admin(home: Path | None) -> Admin:
    """Return the commands on `home`; the heavy imports happen here."""
    from tre.app import open_admin

    opened: Admin = open_admin(home)
    return opened


def at_home() -> Admin:
    """Return the commands on the home that TRE_HOME names; refused where there is none."""
    named = os.environ.get("TRE_HOME")
    if not named or not Path(named).is_dir():
        raise Refused.because(HOME_MISSING)
    return admin(Path(named))


def init(options: argparse.Namespace) -> int:
    """Make a home."""
    key = admin(None).init(options.home, options.origin, options.control)
    print(f"Made {options.home}. Set TRE_HOME to it. The log's public key, to be given to everyone (log.vkey):")
    print(key.strip())
    print("Its second key, against quantum computers, is beside it (log-ml-dsa.vkey).")
    return 0


def dataset_add(options: argparse.Namespace) -> int:
    """Make a version of a data set."""
    scheme = re.match(r"([a-z][a-z0-9+.-]*)://", options.source, re.IGNORECASE)
    if scheme and scheme[1].lower() != "postgresql":
        raise Refused.because(SOURCE_URL, scheme=f"{scheme[1].lower()}://")
    source = options.source if scheme else _existing(options.source)
    policy = _existing(options.policy)
    made = at_home().dataset_add(options.name, source, policy, progress_bar)
    print(f"{options.name} is at version {made.version}")
    if made.absent:
        print(f"not in the source, so not to be asked: {', '.join(made.absent)}")
    for one in made.paid:
        often = "by this version, and by each that follows" if one.each else "once for all versions"
        shares = f"{one.dataset:.3%} of the data set's budget, {one.project:.3%} of a project's"
        print(f"paid for {one.what}, {often}: {shares}")
    return 0


def person_add(options: argparse.Namespace) -> int:
    """Add a person."""
    person = NewPerson(
        options.id, options.name, tuple(options.role), tuple(options.credential), tuple(options.controls)
    )
    at_home().person_add(person)
    print(f"added {person.id}")
    return 0


def person_list(options: argparse.Namespace) -> int:
    """List people."""
    table = at_home().persons()
    print_table(table.names, table.rows)
    return 0


def project_add(options: argparse.Namespace) -> int:
    """Add a project."""
    project = NewProject(
        id=options.id,
        datasets=_flat(options.dataset),
        people=_flat(options.person),
        purposes=_flat(options.purpose),
        epsilon=options.epsilon,
        delta=options.delta,
        expires=options.expires,
    )
    at_home().project_add(project)
    print(f"added {project.id}")
    return 0


def project_list(options: argparse.Namespace) -> int:
    """List projects."""
    table = at_home().projects()
    print_table(table.names, table.rows)
    return 0


def project_unlock(options: argparse.Namespace) -> int:
    """Unlock a project after an incident."""
    at_home().unlock(options.id, options.by, options.reason)
    print(f"unlocked {options.id}")
    return 0


def token(options: argparse.Namespace) -> int:
    """Print a bearer token on the last line."""
    print(at_home().token(options.person, options.project, options.minutes))
    return 0


def code(options: argparse.Namespace) -> int:
    """Print a code for signing in once, on the last line."""
    print(at_home().sign_in_code(options.person, options.minutes))
    return 0


def person_link(options: argparse.Namespace) -> int:
    """Say whom a subject of an issuer is."""
    at_home().link(options.id, options.issuer, options.subject)
    print(f"linked {options.id}")
    return 0


def person_unlink(options: argparse.Namespace) -> int:
    """Make a subject of an issuer nobody."""
    print(f"unlinked {at_home().unlink(options.issuer, options.subject)}")
    return 0


def person_sign_out(options: argparse.Namespace) -> int:
    """End every session, token and code of a person."""
    at_home().sign_out(options.id)
    print(f"signed out {options.id}")
    return 0


def serve(options: argparse.Namespace) -> int:
    """Serve until stopped."""
    at_home().serve(options.host, options.port, options.workers)
    return 0


def policy_lint(options: argparse.Namespace) -> int:
    """Say what is wrong with a policy."""
    remarks = admin(None).policy_lint(_existing(options.file))
    for remark in remarks:
        print(remark)
    print(f"{options.file}: in order")
    return 0


def policy_diff(options: argparse.Namespace) -> int:
    """Refuse: not offered yet."""
    raise Refused.because(POLICY_DIFF)


def ledger_export(options: argparse.Namespace) -> int:
    """Print the ledgers as the verifier reads them."""
    print(at_home().ledger_export(), end="")
    return 0


def audit_serve(_options: argparse.Namespace) -> int:
    """Write the log until stopped."""
    at_home().audit_serve(lambda line: print(line, flush=True))
    return 0


def audit_reindex(options: argparse.Namespace) -> int:
    """Make the search over the log anew."""
    entries = at_home().audit_reindex()
    print(f"{entries} entries can be searched")
    return 0


def audit_export(options: argparse.Namespace) -> int:
    """Write the static tree of the log."""
    entries = at_home().audit_export(options.folder)
    print(f"{entries} entries in {options.folder}")
    return 0


def audit_verify(options: argparse.Namespace) -> int:
    """Run the verifier, which knows nothing of this package."""
    from audit.__main__ import main as verify

    return verify(["verify", *options.rest])


def audit_outside(options: argparse.Namespace) -> int:
    """Run a command of the log that needs no home."""
    from audit.__main__ import main as outside

    return outside([options.outside, *options.rest])


def demo(options: argparse.Namespace) -> int:
    """Show the house in a home of its own."""
    from tre.app.story import tell

    tell(options.home, options.people, print, progress_bar)
    return 0


def version(options: argparse.Namespace) -> int:
    """Print the version."""
    from importlib.metadata import version as installed

    print(f"tre {installed('tre')}")
    return 0


def _existing(path: str) -> Path:
    found = Path(path)
    if not found.exists():
        raise Refused.because(FILE_MISSING, path=path)
    return found


def _flat(groups: list[list[str]]) -> tuple[str, ...]:
    return tuple(name for group in groups for name in group)
