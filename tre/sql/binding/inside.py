"""What stands in an expression as it was typed, subqueries apart."""

from __future__ import annotations

from sqlglot import exp


def aggregates_in(node: exp.Expr) -> bool:
    """Say whether an aggregate stands in `node`, not looking into subqueries; a window's function is none."""
    if isinstance(node, exp.Window):
        called = node.this.this if isinstance(node.this, exp.Filter | exp.WithinGroup) else node.this
        others = (child for child in node.iter_expressions() if child is not node.this)
        filtered = [node.this.expression] if isinstance(node.this, exp.Filter) else []
        return any(aggregates_in(child) for child in (*called.iter_expressions(), *filtered, *others))
    if isinstance(node, exp.AggFunc):
        return True
    if isinstance(node, exp.Query):
        return False
    return any(aggregates_in(child) for child in node.iter_expressions())


def windows_in(node: exp.Expr) -> bool:
    """Say whether a window stands in `node`, not looking into subqueries."""
    if isinstance(node, exp.Window | exp.Query):
        return isinstance(node, exp.Window)
    return any(windows_in(child) for child in node.iter_expressions())
