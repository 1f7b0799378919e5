"""SQL: from text to a plan that means the same, and from plans to text for engines.

`bind` reads text against a catalogue, `render` writes a plan for an engine, `canonical` is the identity of a
question, `refusals_for` bounds a plan's work; the nodes of plans stand in `tre.sql.plan`.
"""

from tre.sql.binding import bind, bind_parsed, blocks_of
from tre.sql.canonical import canonical
from tre.sql.parse import parse
from tre.sql.parsed import Parsed
from tre.sql.plan import PrivateAggregate, Query, Relation
from tre.sql.render import render, tables_of
from tre.sql.work import refusals_for

__all__ = [
    "Parsed",
    "PrivateAggregate",
    "Query",
    "Relation",
    "bind",
    "bind_parsed",
    "blocks_of",
    "canonical",
    "parse",
    "refusals_for",
    "render",
    "tables_of",
]
