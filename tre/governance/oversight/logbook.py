"""The log itself, entry by entry: for board members and auditors. To everybody else there is no such entry."""

from __future__ import annotations

from collections.abc import Iterator

from audit.merkle import ProofError
from audit.reader import LogError
from audit.tiles import TileError
from tre.base.reasons import Reason, Refused, web
from tre.base.reasons.faults import LOG_UNAVAILABLE
from tre.governance.oversight.desk import Desk
from tre.identity import Principal
from tre.journal.crate import Proofs, crate_files
from tre.journal.search import Hit, Hits, Page, Wanted
from tre.policy.actions import Action, House


def entries(desk: Desk, principal: Principal, wanted: Wanted, page: Page) -> Hits:
    """Return a page of entries. Raises Refused (web.unknown-entry)."""
    _admit(desk, principal)
    return desk.search.find([wanted], page)


def entry(desk: Desk, principal: Principal, index: int) -> Hit:
    """Return one entry. Raises Refused (web.unknown-entry)."""
    _admit(desk, principal)
    try:
        return desk.search.read(index)
    except IndexError:
        raise Refused.because(web.UNKNOWN_ENTRY) from None


def receipt(desk: Desk, principal: Principal, index: int) -> str:
    """Return an entry's receipt with the entry in it. Raises Refused (web.unknown-entry)."""
    _admit(desk, principal)
    try:
        return desk.log.inclusion(index, with_entry=True)
    except ProofError:
        raise Refused.because(web.UNKNOWN_ENTRY) from None
    except (LogError, OSError) as error:
        raise Refused.because(LOG_UNAVAILABLE) from error


def everything(desk: Desk, principal: Principal, wanted: Wanted) -> Iterator[Hit]:
    """Return all entries that are wanted, oldest first. Raises Refused (web.unknown-entry) before the first."""
    _admit(desk, principal)
    desk.on_record(principal, "export")
    return desk.search.everything(wanted)


def crate(desk: Desk, principal: Principal, wanted: Wanted, key: str) -> Iterator[tuple[str, bytes]]:
    """Return what a project did as the files of an RO-Crate, piece by piece; `key` is the log's public key.

    Raises Refused (web.unknown-entry) before the first.
    """
    if wanted.project is None:
        raise ValueError("a crate is of one project; this is a bug, report it")
    _admit(desk, principal)
    desk.on_record(principal, f"crate/{wanted.project}")
    proofs = Proofs(origin(key), key, desk.log.checkpoint, desk.log.inclusion)
    return crate_files(wanted.project, desk.search.everything(wanted), proofs, desk.clock.now())


def origin(key: str) -> str:
    """Return the log's name, which its public key begins with (C2SP signed-note): no name holds a plus, its key may."""
    return key.split("+", 1)[0]


def bundle(desk: Desk, principal: Principal | None, path: str) -> bytes:
    """Return a C2SP bundle of entries. Raises Refused (web.unknown-log-file)."""
    if principal is None:
        raise Refused.because(web.UNKNOWN_LOG_FILE)
    _admit(desk, principal, web.UNKNOWN_LOG_FILE)
    try:
        return desk.log.resource(f"tile/{path}")
    except TileError:
        raise Refused.because(web.UNKNOWN_LOG_FILE) from None
    except (LogError, OSError) as error:
        raise Refused.because(LOG_UNAVAILABLE) from error


def may_verify(desk: Desk, principal: Principal) -> None:
    """Return for those who see whether the log verifies. Raises Refused (web.unknown-path)."""
    if not desk.may(principal, Action.LOG_VERIFY, House()):
        raise Refused.because(web.UNKNOWN_PATH)


def _admit(desk: Desk, principal: Principal, otherwise: Reason = web.UNKNOWN_ENTRY) -> None:
    """Return once this person's reading is on the record."""
    if not desk.may(principal, Action.AUDIT_READ, House()):
        raise Refused.because(otherwise)
    desk.on_record(principal)
