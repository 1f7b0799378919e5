"""What a decision records of a plan, so that a changed policy can be replayed without parsing again."""

from __future__ import annotations

from tre.privacy.plan import Block, PrivatePlan


def facts(plan: PrivatePlan) -> dict[str, object]:
    """Return the plan's facts for JSON: per block what is measured, with which noise, at which price.

    Functions of request, policy and public facts alone; the known keys are given by their number.
    """
    return {
        "tables": list(plan.query.tables),
        "columns": [[origin.table, origin.column] for origin in plan.query.columns],
        "notes": list(plan.query.notes),
        "cost": plan.cost.as_json(),
        "bounds": {name: dict(bounds) for name, bounds in plan.bounds.items()},
        "errors": dict(plan.errors),
        "blocks": [_block(block) for block in plan.blocks],
    }


def _block(block: Block) -> dict[str, object]:
    shape = block.shape
    return {
        "cost": block.cost.as_json(),
        "groups_per_unit": shape.groups,
        "known_keys": None if shape.keys is None else len(shape.keys),
        "threshold": block.threshold,
        "minimum_group": shape.minimum_group,
        "rows_per_unit": shape.source.rows_per_unit,
        "parts": [
            {
                "name": part.name,
                "kind": part.kind.value,
                "low": str(part.low),
                "high": str(part.high),
                "granularity": str(part.granularity),
                "scale": block.mechanisms[part.name].scale,
            }
            for part in shape.parts
        ],
    }
