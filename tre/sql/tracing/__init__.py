"""Unit tracing: what may be said about a relation, one named rule per node (PRIVACY §2)."""

from tre.sql.tracing import joins as _joins  # noqa: F401 - enters the rule of joins
from tre.sql.tracing.rules import RULES, Contribution, Tracing, contribution
from tre.sql.tracing.traits import Broken, Instance, Status, Traits

__all__ = ["RULES", "Broken", "Contribution", "Instance", "Status", "Tracing", "Traits", "contribution"]
