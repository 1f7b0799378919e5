"""What an id, a name and a purpose may look like, wherever one is given."""

from __future__ import annotations

import re

from sqlalchemy import select

from tre.base.reasons import Refusal, Refused
from tre.base.reasons import governance as reasons
from tre.policy.context import Role
from tre.store import Reading
from tre.store.tables import roles

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,39}")
_PURPOSE = re.compile(r"DUO:[0-9]{7}|[a-z][a-z0-9-]{0,39}")
_LONGEST_NAME = 200


def id_refusals(*ids: str) -> list[Refusal]:
    """Return a refusal for each text that is no id: ids stand in entries and name ledgers."""
    return [Refusal(reasons.BAD_ID, {"id": ascii(text)[:60]}) for text in ids if not _ID.fullmatch(text)]


def name_refusals(name: str) -> list[Refusal]:
    """Return a refusal when `name` cannot be shown."""
    fit = len(name.strip()) > 0 and len(name) <= _LONGEST_NAME and name.isprintable()
    return [] if fit else [Refusal(reasons.BAD_NAME, {"most": str(_LONGEST_NAME)})]


def purpose_refusals(*purposes: str) -> list[Refusal]:
    """Return a refusal for each text that is neither a DUO code nor a policy's word."""
    return [
        Refusal(reasons.BAD_PURPOSE, {"purpose": ascii(text)[:60]}) for text in purposes if not _PURPOSE.fullmatch(text)
    ]


def refuse(refusals: list[Refusal]) -> None:
    """Raise everything that is known, if anything is."""
    if refusals:
        raise Refused(refusals)


def require_no_board(tx: Reading) -> None:
    """Refuse the bootstrap once there is a board member (DESIGN "The surface others rely on")."""
    board = select(roles.c.person).where(roles.c.role == Role.BOARD.value).limit(1)
    if tx.execute(board).one_or_none() is not None:
        raise Refused.because(reasons.BOARD_EXISTS)
