"""The surface's limits, out of the settings and the control database."""

from __future__ import annotations

from dataclasses import dataclass

from tre.app.settings import LimitSettings
from tre.identity.rates import Rates


@dataclass(frozen=True, slots=True)
class Limiting:
    """Implements `tre.web.limits.Limits`."""

    rates: Rates
    most: LimitSettings

    def question(self, person: str) -> None:
        """Count a question or a check of a person."""
        self.rates.count("question", person, self.most.questions)

    def anonymous(self, address: str) -> None:
        """Count a request without a token, by address."""
        self.rates.count("anonymous", address, self.most.anonymous)

    def failure(self, address: str) -> None:
        """Count a token that was refused, by address."""
        self.rates.count("failure", address, self.most.failures)
