"""What the environment decided about a question, and what it costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from tre.client.display import table_html
from tre.client.errors import Reason, reason_from
from tre.client.explaining import Explanation


@dataclass(frozen=True, slots=True)
class Price:
    """What an answer costs: epsilon by conversion, rho and delta exact, the share of the project's whole budget."""

    epsilon: float
    delta: Decimal
    share: float
    rho: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What the environment decided about a question.

    `error` gives the half-width of the 95 % interval of each output (None where only the release tells), `error_notes`
    what is said of it, `release_seconds` when an answer leaves; `explain` is the plan, where it was asked for and there
    is one. With a relative accuracy `price` is that of the pilot, and `most` what it and the second step may cost
    together.
    """

    allowed: bool
    reasons: tuple[Reason, ...]
    price: Price | None
    error: Mapping[str, float | None]
    gates: Mapping[str, bool] = field(default_factory=dict)
    bounds: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    release_seconds: float | None = None
    explain: Explanation | None = None
    most: Price | None = None
    error_notes: Mapping[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return self.allowed

    def error_text(self, output: str) -> str:
        """Return the expected error of an output as people read it."""
        width, said = self.error[output], self.error_notes.get(output, "")
        known = "after release" if width is None else f"±{width:.6g}"
        return f"{known}: {said}" if said else known

    def _repr_html_(self) -> str:
        if not self.allowed:
            rows = [(reason.code, reason.sentence, reason.caret or "", reason.remedy) for reason in self.reasons]
            return table_html(("Refused", "Why", "Where", "What next"), rows, pre=(2,))
        rows_allowed = [(name, self.error_text(name)) for name in self.error]
        price = f"epsilon {self.price.epsilon:.3g}, {self.price.share:.1%} of the budget" if self.price else ""
        if self.most is not None:
            price = (
                f"pilot: {price}; at most epsilon {self.most.epsilon:.3g}, {self.most.share:.1%}, with the second step"
            )
        return table_html(("Allowed: output", "Error (95 %)"), rows_allowed, foot=(price, *self.notes))


def price_from(found: Mapping[str, Any]) -> Price:
    """Return the price that the JSON says."""
    rho = found.get("rho")
    return Price(found["epsilon"], Decimal(found["delta"]), found["share"], Decimal(rho) if rho is not None else None)


def decision_from(found: Mapping[str, Any]) -> Decision:
    """Return the decision that the JSON says."""
    return Decision(
        allowed=found["allowed"],
        reasons=tuple(reason_from(reason) for reason in found["reasons"]),
        price=price_from(found["price"]) if found.get("price") else None,
        error={item["output"]: item["half_width"] for item in found["error"]},
        error_notes={item["output"]: item["note"] for item in found["error"] if item.get("note")},
        gates={gate["gate"]: gate["allowed"] for gate in found["gates"]},
        bounds=found.get("bounds") or {},
        notes=tuple(found["notes"]),
        release_seconds=found.get("release_seconds"),
        explain=Explanation(found["explanation"]) if found.get("explanation") else None,
        most=price_from(found["most"]) if found.get("most") else None,
    )
