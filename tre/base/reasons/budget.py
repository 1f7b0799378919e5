"""Reasons of the ledgers. Balances are public to those whose ledger it is; nothing here depends on data."""

from tre.base.reasons.form import Kind, reason

EXHAUSTED = reason(
    "budget.exhausted",
    Kind.BUDGET,
    "This answer costs {price}, and the budget {ledger} has {left} left.",
    "Ask for less epsilon, ask again what was already answered (replays are free), or apply for more budget.",
    "A budget is a sum that never passes its limit. What is reserved by requests under way counts as spent until "
    "they end. A refusal costs nothing, and a smaller question may still fit.",
)
UNKNOWN_LEDGER = reason(
    "budget.unknown-ledger",
    Kind.BUDGET,
    "There is no budget {ledger}.",
    "Ask the data controller: a budget exists from the moment a project is given a data set under a policy in force.",
)
MEASURE_FIXED = reason(
    "budget.measure-fixed",
    Kind.CONFLICT,
    "The budget {ledger} is kept in {measure} and stays so for its life.",
    "Keep the policy's measure; another measure needs another data set.",
    "Amounts of two privacy measures do not add, so a ledger that changed its measure would forget what was spent.",
)
LOG_BEHIND = reason(
    "budget.log-behind",
    Kind.UNAVAILABLE,
    "The budget {ledger} knows of movements that the audit log does not hold.",
    "Restore the log from its newest copy: it is shorter than the control database's last known state.",
)
