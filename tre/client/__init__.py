"""Ask a trusted research environment: `c = connect(url, token=…, project=…)`, `c.check(sql)`, `c.query(sql)`."""

from tre.client.answers import SUPPRESSED, Column, Decision, Price, Result
from tre.client.connection import Connection, connect
from tre.client.errors import Reason, TreError, TreRefused, TreUnreachable

__all__ = [
    "SUPPRESSED",
    "Column",
    "Connection",
    "Decision",
    "Price",
    "Reason",
    "Result",
    "TreError",
    "TreRefused",
    "TreUnreachable",
    "connect",
]
