"""The core rules, evaluated by Cedar so that every doubt is a deny.

A Cedar `forbid` that fails to evaluate is skipped by the engine. Here any diagnostic, an undecided result and any
exception make the ruling broken, which nothing passes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import cedarpy

from tre.policy.shipped import policies_folder

Entity = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Ruling:
    """What the rules say: whether anything permits, and the @id of every forbid that applies."""

    permitted: bool = False
    forbidden: frozenset[str] = frozenset()
    broken: bool = False

    @property
    def allowed(self) -> bool:
        """Default deny; a forbid wins over every permit."""
        return self.permitted and not self.forbidden and not self.broken


BROKEN = Ruling(broken=True)


class Core:
    """A checked set of rules. Raises ValueError for rules that Cedar's own validator refuses."""

    def __init__(self, rules: str, schema: str) -> None:
        found = cedarpy.validate_policies(rules, schema)
        if not found.validation_passed:
            raise ValueError("; ".join(str(error) for error in found.errors))
        self._schema = cedarpy.Schema.from_str(schema)
        self._all = cedarpy.PolicySet.from_str(rules)
        self._permits = _only_permits(rules)

    def rule(
        self,
        principal: Entity,
        action: str,
        resource: Entity,
        context: Mapping[str, Any],
        others: Sequence[Entity] = (),
    ) -> Ruling:
        """Return what the rules say of `action` on `resource`; `others` are entities that the resource names."""
        request = {
            "principal": principal["uid"],
            "action": {"type": "Action", "id": action},
            "resource": resource["uid"],
            "context": dict(context),
        }
        entities = [dict(entity) for entity in (principal, resource, *others)]
        try:
            whole = self._ask(request, self._all, entities)
            # What is allowed is permitted; what is denied is asked once more, to tell whether it was.
            permits = whole if whole and whole[0] else self._ask(request, self._permits, entities)
        except Exception:  # noqa: BLE001 - whatever goes wrong while deciding, the answer is no
            return BROKEN
        if whole is None or permits is None:
            return BROKEN
        return _agreed(whole, permits)

    def _ask(
        self, request: dict[str, Any], policies: cedarpy.PolicySet, entities: list[dict[str, Any]]
    ) -> tuple[bool, frozenset[str]] | None:
        """Return whether Cedar allows, and the @ids it names; None for anything but a clean decision."""
        result = cedarpy.is_authorized(request, policies, entities, schema=self._schema)
        undecided = result.decision not in (cedarpy.Decision.Allow, cedarpy.Decision.Deny)
        if result.diagnostics.errors or undecided:
            return None
        named = result.diagnostics.id_annotations_by_reason
        if set(result.diagnostics.reasons) != set(named):
            return None
        return result.allowed, frozenset(named.values())


def _agreed(whole: tuple[bool, frozenset[str]], permits: tuple[bool, frozenset[str]]) -> Ruling:
    allowed, named = whole
    permitted = permits[0]
    forbidden = frozenset() if allowed else named
    ruling = Ruling(permitted, forbidden)
    return ruling if ruling.allowed == allowed else BROKEN


def _only_permits(rules: str) -> cedarpy.PolicySet:
    """The permits alone tell whether a person lacks a role besides what forbids them: all reasons at once."""
    form = json.loads(cedarpy.policies_to_json_str(rules))
    form["staticPolicies"] = {key: one for key, one in form["staticPolicies"].items() if one["effect"] == "permit"}
    return cedarpy.PolicySet.from_json_str(json.dumps(form))


@cache
def shipped_core() -> Core:
    """Return the reviewed rules that the project ships."""
    folder = policies_folder()
    rules, schema = (folder / name for name in ("core.cedar", "core.cedarschema"))
    return Core(rules.read_text(encoding="utf-8"), schema.read_text(encoding="utf-8"))
