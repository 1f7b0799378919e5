"""`python -m audit verify | export | receipt | serve | witness | push`: the log's command line.

Exit codes: 0 done and true, 1 fault (a file or a server cannot be read), 2 usage, 5 verification failed.
"""

import argparse
import os
import re
import sys
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

from audit.head import HeadError
from audit.history import LedgerState
from audit.keeping import add_keeping
from audit.keys import Ed25519Verifier
from audit.ledgers import LedgerFileError, parse_ledgers
from audit.notes import NoteError, decode_base64, encode_base64, open_checkpoint
from audit.reader import LogError, LogReader
from audit.receipt import Receipt, ReceiptError, exported_entries
from audit.replay import Demands, OldHead
from audit.report import Report, as_json, as_text
from audit.static import export, from_folder, from_url, verify_tree
from audit.usage import DONE, FAILED, FAULT, URL, USAGE, UsageError, add_panel, cosigned_head, panel, public_key
from audit.verify import verify_folder
from audit.witnessed import Panel, cosigned_by, judge_cosigned

_SIZE_AND_ROOT = re.compile(r"(0|[1-9][0-9]{0,18}):([A-Za-z0-9+/]{43}=)")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; print its report; return the exit code."""
    options = _parser().parse_args(arguments)
    run: Callable[[argparse.Namespace], int] = options.run
    try:
        return run(options)
    except (UsageError, LedgerFileError) as error:
        print(f"audit: {error}", file=sys.stderr)
        return USAGE
    except (OSError, LogError, HeadError) as error:
        print(f"audit: {error}", file=sys.stderr)
        return FAULT


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="audit", description="Verify an audit log, or a receipt from it.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    verify = commands.add_parser(
        "verify", help="verify a log: its folder, an exported tree, or a URL", allow_abbrev=False
    )
    verify.add_argument("--log", required=True, metavar="DIR|URL", help="the log, an export of it, or its address")
    verify.add_argument("--key", required=True, type=Path, metavar="FILE", help="the log's public key (log.vkey)")
    verify.add_argument(
        "--since",
        action="append",
        default=[],
        metavar="CHECKPOINT",
        help="an older head that must be contained: a file, or SIZE:ROOT; may be given again",
    )
    add_panel(verify)
    verify.add_argument(
        "--cosigned", type=Path, metavar="FILE", help="the cosigned head to judge (default: the one that the log has)"
    )
    verify.add_argument("--ledger", type=Path, metavar="FILE", help="output of `tre ledger export`")
    verify.add_argument(
        "--head", type=Path, metavar="DIR", help="the second place of the head (default: head, beside a log folder)"
    )
    verify.add_argument(
        "--token-file",
        metavar="FILE",
        help="a bearer token, to read the entries of a URL too; - for standard input (default: the variable TRE_TOKEN)",
    )
    verify.add_argument("--grace", type=float, default=24.0, metavar="HOURS", help="how long an intent may wait")
    verify.add_argument("--every-signature", action="store_true", help="check those of all heads that were kept")
    verify.add_argument("--json", action="store_true", help="report for machines")
    verify.set_defaults(run=_verify)
    out = commands.add_parser("export", help="write the static C2SP tree of a log folder")
    out.add_argument("--log", required=True, type=Path, metavar="DIR")
    out.add_argument("out", type=Path, metavar="OUT")
    out.set_defaults(run=_export)
    receipt = commands.add_parser("receipt", help="verify a receipt offline")
    receipt.add_argument("files", nargs="+", type=Path, metavar="FILE")
    receipt.add_argument("--key", required=True, type=Path, metavar="FILE")
    receipt.add_argument("--entry", type=Path, metavar="FILE", help="the entry's bytes, where the receipt has none")
    receipt.add_argument("--entries", type=Path, metavar="FILE", help="exported entries (JSON Lines); each needs one")
    add_panel(receipt)
    receipt.set_defaults(run=_receipt)
    add_keeping(commands)
    return parser


def _verify(options: argparse.Namespace) -> int:
    key = public_key(options.key)
    bad_heads: list[str] = []
    older = tuple(head for text in options.since if (head := _old_head(text, key, bad_heads)) is not None)
    witnessed = Report(key.name)
    if (believed := panel(options, key)) is not None:
        # Asked for before the newest head, which must contain it.
        older += judge_cosigned(witnessed, cosigned_head(options.log, options.cosigned), key, believed)
    elif options.cosigned is not None:
        raise UsageError("--cosigned needs the key of a --witness")
    demands = Demands(older, _ledger(options.ledger), timedelta(hours=options.grace))
    report = _verified(options, key, demands)
    report.take(witnessed)
    for problem in bad_heads:
        report.section("an older head that was given").problem(problem)
    print(as_json(report) if options.json else as_text(report), end="" if not options.json else "\n")
    return DONE if report.ok else FAILED


def _ledger(path: Path | None) -> dict[str, LedgerState] | None:
    return None if path is None else parse_ledgers(path.read_bytes())


def _old_head(text: str, key: Ed25519Verifier, bad: list[str]) -> OldHead | None:
    if match := _SIZE_AND_ROOT.fullmatch(text):
        return OldHead(f"the head {match[1]}", int(match[1]), decode_base64(match[2]))
    try:
        checkpoint = open_checkpoint(Path(text).read_bytes(), key)
    except NoteError as error:
        bad.append(f"{text}: {error}")
        return None
    return OldHead(text, checkpoint.size, checkpoint.root)


def _verified(options: argparse.Namespace, key: Ed25519Verifier, demands: Demands) -> Report:
    if URL.match(options.log):
        try:
            token = _token(options.token_file)
            fetch = from_url(options.log, token)
        except ValueError as error:
            raise UsageError(str(error)) from error
        return verify_tree(fetch, key, demands, entries=token is not None)
    folder = Path(options.log)
    if (folder / "records").exists():
        head: Path | None = options.head or folder.absolute().parent / "head"
        if options.head is None and head is not None and not head.exists():
            head = None
        return verify_folder(folder, key, demands, head_folder=head, every_signature=options.every_signature)
    if (folder / "checkpoint").exists() or (folder / "tile").exists():
        return verify_tree(from_folder(folder), key, demands)
    raise UsageError(f"{folder} holds neither a log nor an exported tree")


def _token(file: str | None) -> str | None:
    """Read the bearer token. Never an argument: other users of the machine see those."""
    if file is None:
        return os.environ.get("TRE_TOKEN") or None
    lines = (sys.stdin.read() if file == "-" else Path(file).read_text(encoding="ascii")).split()
    if not lines:
        raise UsageError(f"{file} holds no token")
    return lines[-1]


def _export(options: argparse.Namespace) -> int:
    with LogReader(options.log) as reader:
        size = export(reader, options.out)
    print(f"{size} entries in {options.out}")
    return DONE


def _receipt(options: argparse.Namespace) -> int:
    """Verify receipts; with exported entries, each of these must have one."""
    key = public_key(options.key)
    entries = _entries(options.entries)
    if options.entry is not None and len(options.files) > 1:
        raise UsageError("--entry is the entry of one receipt")
    believed = panel(options, key)
    said = [_one_receipt(file, key, believed, options.entry, entries) for file in options.files]
    for index in entries or ():
        print(f"RECEIPT MISSING: entry {index} of {options.entries}")
    return DONE if all(said) and not entries else FAILED


def _entries(path: Path | None) -> dict[int, bytes] | None:
    try:
        return None if path is None else exported_entries(path.read_bytes())
    except ReceiptError as error:
        raise UsageError(f"{path}: {error}") from error


def _one_receipt(
    file: Path, key: Ed25519Verifier, believed: Panel | None, beside: Path | None, entries: dict[int, bytes] | None
) -> bool:
    """Verify one receipt and print what it proves; takes its entry out of `entries`."""
    try:
        receipt = Receipt.parse(file.read_bytes())
        entry = beside.read_bytes() if beside else receipt.extra
        if entries is not None and (entry := entries.pop(receipt.index, None)) is None:
            raise ReceiptError(f"{file}: entry {receipt.index} is none of those exported, or came before")
        if entry is None:
            raise UsageError(f"{file} does not carry its entry: give it by --entry FILE or --entries FILE")
        checkpoint = receipt.verify(entry, key)
        cosigned = cosigned_by(receipt.checkpoint, key, believed)[1] if believed else ()
    except (ReceiptError, NoteError) as error:
        print(f"RECEIPT REFUSED: {error}")
        return False
    print(
        f"RECEIPT VERIFIED: entry {receipt.index} of the log {checkpoint.origin}\n"
        f"size {checkpoint.size}\nroot {encode_base64(checkpoint.root)}" + "".join(f"\n{one}" for one in cosigned)
    )
    return True


if __name__ == "__main__":
    sys.exit(main())
