"""Group keys: known from public facts, or unknown (PRIVACY §3.5); and the one order in which groups leave (§3.6)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime
from decimal import Decimal
from itertools import product

from tre.base.cost import Measure
from tre.base.passage import Key
from tre.base.reasons import Refused
from tre.base.reasons import privacy as reasons
from tre.catalogue import Kind, Type, Value
from tre.privacy.request import Rules
from tre.sql.plan import Column, PrivateAggregate, PublicKeys
from tre.sql.tracing.known import lattice

PublicValues = Callable[[PublicKeys], tuple[Value, ...]]
"""The distinct values of a public column, looked up before planning: public facts, exact and free."""


def known_keys(block: PrivateAggregate, rules: Rules, public_keys: PublicValues) -> tuple[Key, ...] | None:
    """Return every group of `block` in key order, or None when they are unknown.

    A nullable key has the group NULL besides its domain: the declared "other". More groups than the policy
    enumerates are unknown ones; under pure DP unknown groups are refused.
    """
    for column, _ in block.keys:
        if column.type.kind is Kind.DOUBLE:
            raise Refused.because(reasons.KEY_TYPE, key=column.name)
    domains = [_domain(column, public_keys) for column, _ in block.keys]
    count = 1
    for domain in domains:
        count *= len(domain) if domain is not None else 0
    unknown = any(domain is None for domain in domains)
    if not unknown and count <= rules.known_keys:
        return in_key_order(product(*(domain for domain in domains if domain is not None)))
    if rules.measure is Measure.PURE:
        if unknown:
            raise Refused.because(reasons.UNKNOWN_KEYS)
        raise Refused.because(reasons.TOO_MANY_KEYS, limit=str(rules.known_keys))
    return None


def in_key_order(keys: Iterable[Key]) -> tuple[Key, ...]:
    """Return keys sorted part by part: values ascending, text by code point, NULL last."""
    return tuple(sorted(keys, key=order_of))


def order_of(key: Key) -> tuple[tuple[bool, object], ...]:
    """Return what `key` sorts by."""
    return tuple((part is None, 0 if part is None else part) for part in key)


def normal(value: object, type_: Type) -> Value | None:
    """Return a key value as its type's one spelling, whatever the engine's client made of it."""
    if value is None:
        return None
    if type_.kind is Kind.DECIMAL:
        return Decimal(str(value)).quantize(Decimal(1).scaleb(-type_.scale))
    if type_.kind is Kind.TIMESTAMP and isinstance(value, datetime):
        return value.replace(tzinfo=None)
    if type_.kind is Kind.DATE and isinstance(value, datetime):
        return value.date()
    return _READ[type_.kind](value)


def _text(value: object) -> Value:
    return str(value)


def _date(value: object) -> Value:
    if isinstance(value, date):
        return value
    raise TypeError("a date key is no date; this is a bug, report it")


_READ: dict[Kind, Callable[[object], Value]] = {
    Kind.BOOLEAN: bool,
    Kind.INTEGER: lambda value: int(str(value)),
    Kind.TEXT: _text,
    Kind.DATE: _date,
    Kind.TIMESTAMP: _date,
}


def _domain(key: Column, public_keys: PublicValues) -> tuple[Value | None, ...] | None:
    domain = lattice(key) if key.facts.domain is None else key.facts.domain
    if domain is None:
        return None
    values = public_keys(domain) if isinstance(domain, PublicKeys) else domain
    spelled = {normal(value, key.type): None for value in values if value is not None}
    return (*spelled, None) if key.facts.nullable else tuple(spelled)
