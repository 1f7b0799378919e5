"""How a version is refused: a general sentence for everybody, the detail for the data controller."""

from __future__ import annotations

from dataclasses import dataclass

from tre.base.reasons import Reason, Refusal, Refused


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with a source. `detail` may show private facts: it goes to the data controller only."""

    reason: Reason
    detail: str


class VersionRefused(Refused):
    """Raised with everything that one step of onboarding found wrong.

    `refusals` and the text of the exception are general; `detail` names tables, columns and rows and may quote the
    engine, so it belongs to the data controller and to no log (PRIVACY §1).
    """

    def __init__(self, faults: list[Fault]) -> None:
        self.detail = "\n".join(f"{fault.reason.code}: {fault.detail}" for fault in faults)
        super().__init__(Refusal(reason) for reason in dict.fromkeys(fault.reason for fault in faults))


def refuse_if(faults: list[Fault]) -> None:
    """Raise VersionRefused unless `faults` is empty."""
    if faults:
        raise VersionRefused(faults)
