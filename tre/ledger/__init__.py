"""The privacy budgets: what may be spent, what is spent, and the draws that were bought with it."""

from tre.ledger.accounts import Balance, balance, balances, ensure, export
from tre.ledger.catching_up import burn_unknown, raise_to
from tre.ledger.draws import (
    Draw,
    DrawState,
    Follow,
    Lead,
    begin_draw,
    draws,
    drop_draw,
    fail_draw,
    paid,
    pay,
    store_draw,
    unpay,
)
from tre.ledger.ids import LedgerId
from tre.ledger.moves import Movement, burn, charge, commit, reserve, void

__all__ = [
    "Balance",
    "Draw",
    "DrawState",
    "Follow",
    "Lead",
    "LedgerId",
    "Movement",
    "balance",
    "balances",
    "begin_draw",
    "burn",
    "burn_unknown",
    "charge",
    "commit",
    "draws",
    "drop_draw",
    "ensure",
    "export",
    "fail_draw",
    "paid",
    "pay",
    "raise_to",
    "reserve",
    "store_draw",
    "unpay",
    "void",
]
