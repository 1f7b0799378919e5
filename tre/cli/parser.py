"""The arguments of every command. Imports nothing heavy: `tre --help` is instant."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

ROLES = ("researcher", "lead", "checker", "board", "controller", "auditor", "operator")
Run = Callable[[argparse.Namespace], int]


def _lazily(module: str, name: str) -> Run:
    def run(options: argparse.Namespace) -> int:
        found: Run = getattr(import_module(f"tre.cli.{module}"), name)
        return found(options)

    return run


def _number(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None
    if not number.is_finite() or number < 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of 0 or more")
    return number


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)


def _groups(text: str) -> int | str:
    return text if text == "automatic" else _count(text)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date like 2027-03-31") from None


def _moment(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no day or time like 2027-03-31T09:00:00Z") from None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found


def _page(text: str) -> int:
    if (count := _count(text)) > 200:
        raise argparse.ArgumentTypeError("at most 200")
    return count


def _credential(text: str) -> tuple[str, date | None]:
    kind, equals, until = text.partition("=")
    return kind, _day(until) if equals else None


def parser() -> argparse.ArgumentParser:
    """Return the parser of the `tre` command."""
    top = argparse.ArgumentParser(
        prog="tre",
        description="A trusted research environment: governed, differentially private answers with receipts.",
        epilog="Environment: TRE_HOME for commands on a home; TRE_URL, TRE_TOKEN, TRE_PROJECT for questions. "
        "Exit codes: 0 done, 1 fault, 2 usage, 3 refused, 4 budget, 5 verification failed.",
    )
    commands = top.add_subparsers(metavar="COMMAND", required=True)
    _asking(commands)
    _setting_up(commands)
    _entitling(commands, _people_and_projects(commands))
    _keeping(commands)
    _running(commands)
    _records(commands)
    return top


if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]


def _group(commands: Commands, name: str, text: str) -> Commands:
    return commands.add_parser(name, help=text).add_subparsers(metavar="COMMAND", required=True)


def _command(commands: Commands, name: str, text: str, module: str, function: str) -> argparse.ArgumentParser:
    made = commands.add_parser(name, help=text, description=text)
    made.set_defaults(run=_lazily(module, function))
    return made


def _asking(commands: Commands) -> None:
    for name, text in (
        ("check", "decide a question: every reason, price, expected error; costs nothing"),
        ("query", "ask a question and print the answer with its intervals"),
    ):
        made = _command(commands, name, text, "asking", name)
        made.add_argument("sql", metavar="SQL", help="the question in SQL, or - for standard input")
        made.add_argument("--project", metavar="ID", help="the project (default: TRE_PROJECT)")
        made.add_argument("--epsilon", type=_number, metavar="E", help="the most that the answer may cost")
        made.add_argument(
            "--accuracy", metavar="'±20@95'", help="the error that each number may have; it fixes the price"
        )
        made.add_argument(
            "--groups",
            type=_groups,
            metavar="N|automatic",
            help="groups of one person that count; up to the proven most, or as a first step tells for a price",
        )
        made.add_argument("--rows", type=_count, metavar="N", help="rows of one person in a group that count; likewise")
        if name == "check":
            made.add_argument("--explain", action="store_true", help="show the plan: rows, bounds, noise, prices, SQL")
        made.add_argument("--dataset", metavar="NAME", help="the data set, where the project has several")
        made.add_argument("--dialect", metavar="NAME", help="the SQL that is written (default: postgres)")
        made.add_argument("--format", choices=("table", "csv", "json"), default="table")
        if name == "query":
            made.add_argument("--receipt", metavar="FILE", help="write the receipt there")
    sharper = _command(commands, "refine", "ask for a sharper answer to an answered question", "asking", "refine")
    sharper.add_argument("query", metavar="QUERY", help="the query, as `tre query` and `tre history` print it")
    price = sharper.add_mutually_exclusive_group(required=True)
    price.add_argument("--epsilon", type=_number, metavar="E", help="the price of a further draw")
    price.add_argument("--accuracy", metavar="'±20@95'", help="the error that each number may have")
    sharper.add_argument("--project", metavar="ID", help="the project (default: TRE_PROJECT)")
    sharper.add_argument("--format", choices=("table", "csv", "json"), default="table")
    sharper.add_argument("--receipt", metavar="FILE", help="write the receipt there")
    past = _command(commands, "history", "list one's questions, newest first", "asking", "history")
    past.add_argument("--project", metavar="ID", help="the project (default: TRE_PROJECT)")
    past.add_argument("--limit", type=_count, default=20, metavar="N", help="how many (default: %(default)s)")
    past.add_argument("--format", choices=("table", "csv", "json"), default="table")


def _setting_up(commands: Commands) -> None:
    init = _command(commands, "init", "make a home", "administering", "init")
    init.add_argument("home", type=Path, metavar="HOME", help="a folder that is empty or does not exist yet")
    init.add_argument("--origin", default="tre.local", metavar="NAME", help="the log's name (default: %(default)s)")
    init.add_argument(
        "--control",
        metavar="URL",
        help="an empty PostgreSQL database for control data, postgresql://USER@HOST/DB?passfile=FILE "
        "(default: SQLite in HOME)",
    )
    add = _command(
        _group(commands, "dataset", "data sets"),
        "add",
        "make a version of a data set under a policy",
        "administering",
        "dataset_add",
    )
    add.add_argument("name", metavar="NAME", help="the data set's name; a known name gets a new version")
    add.add_argument(
        "--source",
        required=True,
        metavar="DIR|FILE|URL",
        help="Parquet or CSV folder, a DuckDB file, or a database: postgresql://USER@HOST/DB?passfile=FILE",
    )
    add.add_argument("--policy", required=True, metavar="FILE", help="the policy document, in force from then on")
    policy = _group(commands, "policy", "policy documents")
    lint = _command(policy, "lint", "say what is wrong with a policy", "administering", "policy_lint")
    lint.add_argument("file", metavar="FILE", help="the policy document; policies/omop.yaml is one")
    diff = _command(policy, "diff", "compare two policies (not offered yet)", "administering", "policy_diff")
    diff.add_argument("files", nargs="*", metavar="FILE")


def _people_and_projects(commands: Commands) -> Commands:
    """Return the group of commands on people, which `_entitling` adds to."""
    person = _group(commands, "person", "people")
    add = _command(person, "add", "add a person (bootstrap, until a board exists)", "administering", "person_add")
    add.usage = "tre person add [-h] ID --name NAME --role ROLE … [--credential KIND[=UNTIL]] [--controls DATASET]"
    add.add_argument("id", metavar="ID", help="the id, before the options: --role takes all that follows")
    add.add_argument("--name", required=True, help="the name; it is stored encrypted")
    roles = ", ".join(ROLES)
    add.add_argument(
        "--role", required=True, nargs="+", choices=ROLES, action="extend", metavar="ROLE", help=f"of: {roles}"
    )
    add.add_argument(
        "--credential",
        type=_credential,
        action="append",
        default=[],
        metavar="KIND[=UNTIL]",
        help="attest this instead of what the policies in force ask for; 90 days unless UNTIL is given",
    )
    add.add_argument(
        "--controls",
        action="append",
        default=[],
        metavar="DATASET",
        help="a data set that a controller answers for; may be given again",
    )
    _command(person, "list", "list people", "administering", "person_list")
    _person_signing_in(person)
    project = _group(commands, "project", "projects")
    _project_add(project)
    _command(project, "list", "list projects", "administering", "project_list")
    unlock = _command(project, "unlock", "unlock a project after an incident", "administering", "project_unlock")
    unlock.add_argument("id", metavar="ID")
    unlock.add_argument("--by", required=True, metavar="PERSON", help="who unlocks; not a member of the project")
    unlock.add_argument("--reason", required=True, metavar="TEXT", help="what was found; it is stored encrypted")
    return person


def _entitling(commands: Commands, person: Commands) -> None:
    end = _command(person, "end", "let a person leave, with their tokens and sessions", "entitling", "person_end")
    credential = _group(commands, "credential", "what people hold")
    attest = _command(credential, "attest", "attest a credential of a person", "entitling", "credential_attest")
    revoke = _command(credential, "revoke", "take a credential of a person back", "entitling", "credential_revoke")
    for made in (end, attest, revoke):
        made.add_argument("id", metavar="ID", help="the person")
        made.add_argument("--by", required=True, metavar="PERSON", help="who does it: another person, of governance")
    for made in (attest, revoke):
        made.add_argument("--kind", required=True, metavar="KIND", help="such as ig-training")
    attest.add_argument("--until", required=True, type=_day, metavar="DATE", help="the last day on which it counts")
    sidecar = _group(commands, "sidecar", "the encrypted texts beside the log")
    erase = _command(
        sidecar, "erase", "destroy a key and all that it sealed, two people together", "entitling", "sidecar_erase"
    )
    whose = erase.add_mutually_exclusive_group(required=True)
    whose.add_argument("--project", metavar="X", help="its questions, and the reasons given about it")
    whose.add_argument("--person", metavar="P", help="the name of somebody who has left")
    erase.add_argument("--by", required=True, metavar="PERSON", help="a board member or a data controller")
    erase.add_argument("--and", required=True, dest="second", metavar="PERSON", help="another who agrees")
    tokens = _group(commands, "tokens", "tokens in use")
    _command(tokens, "list", "list the tokens in use", "entitling", "tokens_list")
    made = _command(tokens, "revoke", "end a token, or all of a person", "entitling", "tokens_revoke")
    which = made.add_mutually_exclusive_group(required=True)
    which.add_argument("token", nargs="?", metavar="ID", help="the id that `tre tokens list` shows")
    which.add_argument("--person", metavar="P", help="whose tokens end, all of them")


def _person_signing_in(person: Commands) -> None:
    for name, text in (
        ("link", "say that a subject of an outside issuer is this person"),
        ("unlink", "make a subject of an outside issuer nobody, and end the sessions begun there"),
    ):
        made = _command(person, name, text, "administering", f"person_{name}")
        if name == "link":
            made.add_argument("id", metavar="PERSON")
        made.add_argument("--issuer", required=True, metavar="I", help="its name, as in the settings")
        made.add_argument("--subject", required=True, metavar="S", help="the `sub` of its tokens; stored encrypted")
    out = _command(
        person, "sign-out", "end every session, token and code of a person", "administering", "person_sign_out"
    )
    out.add_argument("id", metavar="PERSON")


def _project_add(project: Commands) -> None:
    add = _command(project, "add", "add a project (bootstrap, until a board exists)", "administering", "project_add")
    add.add_argument("id", metavar="ID")
    for name, text in (("dataset", "NAME"), ("person", "ID"), ("purpose", "DUO:0000006")):
        add.add_argument(f"--{name}", required=True, nargs="+", action="append", metavar=text)
    add.add_argument("--epsilon", required=True, type=_number, metavar="E", help="the project's budget on a data set")
    add.add_argument("--delta", required=True, type=_number, metavar="D", help="the budget's delta, such as 1e-6")
    add.add_argument("--expires", type=_day, metavar="DATE", help="the day it ends (default: after a year)")


def _keeping(commands: Commands) -> None:
    rotate = _group(_group(commands, "key", "secret keys"), "rotate", "replace a key")
    issuer = _command(rotate, "issuer", "sign tokens with another key", "keeping", "rotate_issuer")
    issuer.add_argument("--distrust-older", action="store_true", help="refuse tokens in use: the old key was stolen")
    _command(rotate, "master", "wrap the keys of encrypted texts anew; no server runs", "keeping", "rotate_master")
    _copies(commands)
    pseudonym = _group(commands, "pseudonym", "tokens in the place of identifiers")
    check = _command(
        pseudonym, "check", "make a project's tokens and say under which keys; show none", "keeping", "pseudonym_check"
    )
    check.add_argument("--dataset", required=True, metavar="NAME")
    check.add_argument("--project", required=True, metavar="ID")
    check.add_argument("--epoch", type=_count, metavar="N", help="default: the newest")
    _command(pseudonym, "new-epoch", "begin a new epoch of pseudonyms", "keeping", "pseudonym_epoch")


def _copies(commands: Commands) -> None:
    backup = _command(commands, "backup", "copy the home, also while it is served", "keeping", "backup")
    backup.add_argument("to", type=Path, metavar="TO", help="a folder that does not exist yet")
    restore = _command(commands, "restore", "make a home of a back-up", "keeping", "restore")
    restore.add_argument("source", type=Path, metavar="FROM", help="what `tre backup` wrote")
    restore.add_argument("home", type=Path, metavar="HOME", help="the home that is made; does not exist yet")
    for made in (backup, restore):
        made.add_argument("--keys", type=Path, metavar="DIR", help="where the keys are kept apart")


def _running(commands: Commands) -> None:
    token = _command(commands, "token", "print a bearer token on the last line", "administering", "token")
    token.add_argument("--person", required=True, metavar="P")
    token.add_argument("--project", metavar="X")
    token.add_argument("--minutes", type=_count, default=60, metavar="N", help="its life (default: %(default)s)")
    code = _command(
        commands, "sign-in-code", "print a one-time code for the portal on the last line", "administering", "code"
    )
    code.add_argument("--person", required=True, metavar="P")
    code.add_argument("--minutes", type=_count, default=10, metavar="N", help="its life (default: %(default)s)")
    serve = _command(commands, "serve", "serve questions and the log", "administering", "serve")
    serve.add_argument("--host", default="127.0.0.1", help="default: %(default)s")
    serve.add_argument("--port", type=_count, default=8321, help="default: %(default)s")
    serve.add_argument(
        "--workers",
        type=_count,
        default=1,
        metavar="N",
        help="processes; more than one needs PostgreSQL and `tre audit serve` (default: %(default)s)",
    )
    demo = _command(commands, "demo", "show the house on a synthetic population", "administering", "demo")
    demo.add_argument("--home", type=Path, default=Path(".demo"), metavar="HOME", help="default: %(default)s")
    demo.add_argument("--people", type=_count, default=10_000, metavar="N", help="default: %(default)s")
    _command(commands, "version", "print the version", "administering", "version")


def _reading(audit: Commands) -> None:
    """Add the commands that read entries. Who reads is named, and the reading is an entry."""
    search = _command(audit, "search", "show entries, newest first", "reviewing", "search")
    search.add_argument("--limit", type=_page, default=50, metavar="N", help="at most 200 (default: %(default)s)")
    search.add_argument("--format", choices=("table", "csv"), default="table")
    export = _command(audit, "export-events", "write entries to a file, oldest first", "reviewing", "export_events")
    export.add_argument("out", type=Path, metavar="OUT", help="a file that does not exist yet; a folder for ro-crate")
    export.add_argument(
        "--format",
        choices=("jsonl", "csv", "fhir", "ro-crate"),
        default="jsonl",
        help="JSON Lines, CSV, FHIR R4B AuditEvents, or a project's RO-Crate with receipts (default: %(default)s)",
    )
    for made in (search, export):
        made.add_argument("--by", required=True, metavar="PERSON", help="who reads: a board member or an auditor")
        for name, text in (
            ("person", "who acted or consented, or whom or what it is about"),
            ("project", "a project by id"),
            ("dataset", "a data set by name"),
            ("table", "a table by name"),
            ("event", "a kind of entry, such as query-decision"),
            ("reason", "the code of a reason"),
            ("request", "a question by id"),
        ):
            made.add_argument(f"--{name}", metavar=name.upper(), help=text)
        made.add_argument("--from", dest="since", type=_moment, metavar="TIME", help="entries from this day or time on")
        made.add_argument("--to", dest="until", type=_moment, metavar="TIME", help="entries before this day or time")


def _records(commands: Commands) -> None:
    ledger = _group(commands, "ledger", "budgets as the verifier reads them")
    _command(ledger, "export", "print the ledgers", "administering", "ledger_export")
    audit = _group(commands, "audit", "the audit log")
    _command(audit, "serve", "write the log for several servers and commands", "administering", "audit_serve")
    witness = _group(commands, "witness", "cosign other people's logs, and be cosigned")
    for name, outside, line in (
        ("serve", "witness", "cosign other people's logs: --state DIR --key FILE --trust FILE …"),
        ("push", "push", "show the newest head to witnesses: --log DIR --witness URL FILE --out FILE …"),
        ("key", "cosigner-key", "make the key of a witness: --name NAME --key FILE --public FILE"),
    ):
        one = witness.add_parser(name, help=line, add_help=False)
        one.set_defaults(run=_lazily("administering", "audit_outside"), rest=[], outside=outside)
    export = _command(audit, "export", "write the log as a static C2SP tree", "administering", "audit_export")
    export.add_argument("folder", type=Path, metavar="DIR", help="where; a folder of its own")
    _reading(audit)
    _command(audit, "reindex", "make the reviewers' search anew from the log", "administering", "audit_reindex")
    verify = audit.add_parser(
        "verify", help="verify a log: --log DIR|URL --key FILE …, as `python -m audit verify` says", add_help=False
    )
    verify.set_defaults(run=_lazily("administering", "audit_verify"), rest=[])
