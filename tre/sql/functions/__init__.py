"""Every function and operator that an expression may use: one table of types, facts and total forms (PRIVACY §3.8)."""

from tre.sql.functions.binding import GRAMMAR, bind_node, is_function, is_named, operands, unknown
from tre.sql.functions.casts import cast, on_its_grid
from tre.sql.functions.choices import case
from tre.sql.functions.comparison import conjunction, true
from tre.sql.functions.constants import literal
from tre.sql.functions.registry import REGISTRY, SPELLED, call

__all__ = [
    "GRAMMAR",
    "REGISTRY",
    "SPELLED",
    "bind_node",
    "call",
    "case",
    "cast",
    "conjunction",
    "is_function",
    "is_named",
    "literal",
    "on_its_grid",
    "operands",
    "true",
    "unknown",
]
