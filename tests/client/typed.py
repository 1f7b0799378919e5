"""The client as a typed program uses it. Checked by mypy; never run."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, assert_type

from tre.client import (
    SUPPRESSED,
    Budget,
    Chart,
    Connection,
    Decision,
    Explanation,
    History,
    Loss,
    Price,
    Proof,
    Query,
    Result,
    connect,
    load,
)

c = connect("https://tre.example", token="t", project="p")
assert_type(c, Connection)
d = c.check("SELECT COUNT(*) AS n FROM person", epsilon=0.5)
assert_type(d, Decision)
assert_type(d.price, Price | None)
assert_type(d.error, Mapping[str, float | None])
assert_type(c.check("SELECT COUNT(*) AS n FROM person", explain=True).explain, Explanation | None)

r = c.query("SELECT COUNT(*) AS n FROM person", epsilon=Decimal("0.5"), progress=lambda seconds, state: None)
assert_type(r, Result)
for row in r:
    if row["n"] is not SUPPRESSED:
        print(row["n"])
assert_type(r.chart(), Chart | None)
assert_type(r.receipt.verify("log.vkey"), Proof)
assert_type(load("kept.json"), Result)
text: str = r.receipt

pending = c.query("SELECT COUNT(*) AS n FROM person", wait=False)
assert_type(pending, Query)
assert_type(pending.status, str)
assert_type(pending.wait(progress=True, timeout=10).result(), Result)
assert_type(pending.cancel(), str)

assert_type(c.history(), History)
assert_type([one.sql for one in c.history()], list[str | None])
assert_type(c.budget(), Budget)
assert_type(c.budget().accounts[0].left, Loss)
assert_type(c.projects()[0].id, str)
domain: tuple[Any, ...] | None = c.dataset("northfield").columns[0].domain
