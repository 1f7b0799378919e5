"""The ledger file of `tre ledger export`, and its comparison with what the log says.

    {"ledgers": {"<ledger id>": {
        "measure": "zcdp" | "pure",
        "seq": 17,                                          last ledger_seq used; 0 for none
        "spent":    {"amount": "500000", "delta": "0"},     committed and burned
        "reserved": {"amount": "0", "delta": "0"},          open reservations
        "limit":    {"amount": "9000000", "delta": "0"}     optional; not compared
    }}}

Amounts are decimal strings in nano-rho or nano-epsilon, delta in 10⁻¹⁸. Further members are ignored.
"""

import json
from collections.abc import Mapping
from typing import Any

from audit.history import LedgerState, Total
from audit.report import Section


class LedgerFileError(ValueError):
    """A ledger file that is not of this form."""


def parse_ledgers(data: bytes) -> dict[str, LedgerState]:
    """Read a ledger file. Raises LedgerFileError."""
    try:
        ledgers = json.loads(data)["ledgers"]
        return {name: _parse_ledger(one) for name, one in ledgers.items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise LedgerFileError("not a ledger export") from error


def _parse_ledger(ledger: Mapping[str, Any]) -> LedgerState:
    spent, reserved = Total.read(ledger["spent"]), Total.read(ledger["reserved"])
    if type(ledger["seq"]) is not int:
        raise LedgerFileError("a ledger's seq is a number")
    return LedgerState(str(ledger["measure"]), ledger["seq"], spent.plus(reserved), reserved)


def compare_ledgers(logged: Mapping[str, LedgerState], exported: Mapping[str, LedgerState]) -> Section:
    """Compare every ledger of the log and of the file; a ledger that never moved may be in the file alone."""
    section = Section("the ledger file equals what the log adds up to")
    for name in sorted({*logged, *exported}):
        section.count += 1
        one, other = logged.get(name), exported.get(name)
        if one is None and other is not None and other.seq == 0 and not any(other.total):
            continue
        if one is None or other is None:
            section.problem(f"ledger {name} is only in the {'file' if one is None else 'log'}")
        elif one != other:
            section.problem(f"ledger {name}: {_difference(one, other)}")
    return section


def _difference(logged: LedgerState, exported: LedgerState) -> str:
    parts = [
        f"{what} {here} in the log, {there} in the file"
        for what, here, there in (
            ("measure", logged.measure, exported.measure),
            ("movement", logged.seq, exported.seq),
            ("spent", _text(logged.spent), _text(exported.spent)),
            ("reserved", _text(logged.reserved), _text(exported.reserved)),
        )
        if here != there
    ]
    return "; ".join(parts)


def _text(total: Total) -> str:
    return f"{total.amount} (delta {total.delta})"
