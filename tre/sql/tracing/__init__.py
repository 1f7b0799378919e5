"""Unit tracing: what may be said about a relation, one named rule per node (PRIVACY §2).

`RULES` holds the rule of each node. Rules and the predicates on which they rest are looked up when they are used, so
that a test can break one on purpose and see the neighbour oracle object.
"""

from tre.sql.tracing import groups, joins, rows, sets, subqueries, windows  # each enters its rules
from tre.sql.tracing.groups import Contribution, contribution
from tre.sql.tracing.tracer import RULES, Tracing
from tre.sql.tracing.traits import Broken, Instance, Status, Traits

__all__ = [
    "RULES",
    "Broken",
    "Contribution",
    "Instance",
    "Status",
    "Tracing",
    "Traits",
    "contribution",
    "groups",
    "joins",
    "rows",
    "sets",
    "subqueries",
    "windows",
]
