"""Run one command and say by the exit code how it went."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tre.base.reasons import Refusal, Refused
from tre.cli.parser import parser

if TYPE_CHECKING:
    from tre.client import TreRefused


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command that `arguments` name (the process's own by default) and return its exit code."""
    try:
        return _run(list(sys.argv[1:] if arguments is None else arguments))
    except Refused as refused:
        return _refused(refused.refusals, getattr(refused, "findings", ()))
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130
    except Exception as error:  # noqa: BLE001 - the outermost frame turns everything into an exit code
        return _failed(error)


def _run(arguments: list[str]) -> int:
    options, rest = parser().parse_known_args(arguments)
    if rest and not hasattr(options, "rest"):
        parser().error(f"unrecognized arguments: {' '.join(rest)}")
    if hasattr(options, "rest"):
        options.rest = rest
    code: int = options.run(options)
    sys.stdout.flush()
    return code


@dataclass(frozen=True, slots=True)
class _Told:
    code: str
    sentence: str
    remedy: str
    caret: str | None


def _refused(refusals: Sequence[Refusal], findings: Sequence[object] = ()) -> int:
    """Print refusals; those of a document as its findings, which say file and line."""
    from tre.cli.codes import exit_code
    from tre.cli.output import print_refusals

    if findings:
        print("\n".join(str(finding) for finding in findings), file=sys.stderr)
        return exit_code([refusal.reason.code for refusal in refusals], 403)
    print_refusals(
        _Told(refusal.reason.code, refusal.sentence, refusal.remedy, refusal.place.caret() if refusal.place else None)
        for refusal in refusals
    )
    return exit_code([refusal.reason.code for refusal in refusals], 403)


def _failed(error: Exception) -> int:
    """Say what failed; where it was nobody's plan, where and not what was in hand (PRIVACY §5, canary values)."""
    from tre.base.reasons import cli
    from tre.client import TreError, TreRefused

    if isinstance(error, TreRefused):
        return _answered(error)
    if isinstance(error, TreError):
        return _refused((Refusal(cli.UNREACHABLE, {"problem": str(error)}),))
    if isinstance(error, ModuleNotFoundError):
        return _refused((Refusal(cli.EXTRA_MISSING, {"module": error.name or "unknown"}),))
    if isinstance(error, OSError) and error.strerror:
        return _refused((Refusal(cli.FILE_SYSTEM, {"problem": f"{error.strerror}: {error.filename}"}),))
    frame = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{type(error).__name__} in {frame.name}, {os.path.basename(frame.filename)} line {frame.lineno}"
    return _refused((Refusal(cli.SIGN_OF_FAULT, {"where": where}),))


def _answered(refused: TreRefused) -> int:
    from tre.cli.codes import exit_code
    from tre.cli.output import print_refusals

    print_refusals(refused.reasons)
    if refused.request_id:
        print(f"  request {refused.request_id}", file=sys.stderr)
    return exit_code([reason.code for reason in refused.reasons], refused.status)
