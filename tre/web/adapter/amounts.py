"""Prices, budgets and bounds as views: exact decimals out of whole numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from tre.base.cost import Cost, Measure
from tre.web import plan_views, views


def _exact(amount: str, places: int) -> str:
    text = f"{int(amount):0{places + 1}d}"
    whole, part = text[:-places], text[-places:].rstrip("0")
    return f"{whole}.{part}" if part else whole


def _amounts(found: Mapping[str, Any]) -> dict[str, Any]:
    zcdp = found["measure"] == "zcdp"
    return {
        "epsilon": found["epsilon"],
        "rho": _exact(found["amount"], 9) if zcdp else None,
        "delta": _exact(found["delta"], 18),
    }


def amount(found: Mapping[str, Any]) -> views.AmountView:
    """Return an amount out of its measure, its exact parts and the epsilon that people read."""
    return views.AmountView(**_amounts(found))


def loss(cost: Cost) -> plan_views.LossView:
    """Return a part of a price as it stands in the ledger."""
    zcdp = cost.measure is Measure.ZCDP
    return plan_views.LossView(
        unit="rho" if zcdp else "epsilon", amount=_exact(str(cost.amount), 9), delta=_exact(str(cost.delta), 18)
    )


def price(found: Mapping[str, Any], share: float) -> views.PriceView:
    """Return a price with its share of the project's budget."""
    return views.PriceView(**_amounts(found), share=share)


def bounds(
    bounds: Mapping[str, Mapping[str, str]],
    sourced: Mapping[str, Sequence[Mapping[str, str]]],
    clips: Mapping[str, Mapping[str, float]],
) -> views.BoundsView:
    """Return the bounds in use: the groups and the most rows over the outputs, totals and all others by output."""
    groups = [int(one["groups"]) for one in bounds.values() if "groups" in one]
    rows = [int(one["rows"]) for one in bounds.values() if "rows" in one]
    totals = {
        name: (float(Fraction(one["low"])), float(Fraction(one["high"])))
        for name, one in bounds.items()
        if "low" in one
    }
    return views.BoundsView(
        groups=max(groups, default=None),
        rows=max(rows, default=None),
        together=any("together" in one for one in bounds.values()),
        automatic=any("automatic" in one for one in bounds.values()),
        totals=totals,
        outputs=tuple(
            views.OutputBoundsView(
                output=name,
                bounds=tuple(views.SourcedBoundView(**one) for one in every),
                clipped=views.ClippedView(**clips[name]) if name in clips else None,
            )
            for name, every in sourced.items()
        ),
    )


def account(dataset: str, found: Mapping[str, Any]) -> views.AccountView:
    """Return one ledger of a project."""
    parts = {name: amount(found[name]) for name in ("limit", "spent", "reserved", "left")}
    return views.AccountView(dataset=dataset, measure=found["limit"]["measure"], **parts)
