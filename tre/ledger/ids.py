"""Whose budget: a project's on a data set, a data set's, one researcher's on a data set (PRIVACY §1 "Filter")."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,39}")


@dataclass(frozen=True, slots=True, order=True)
class LedgerId:
    """The name of a ledger, as the database and the log write it. Ledgers are locked in ascending order."""

    text: str

    @classmethod
    def of_project(cls, project: str, dataset: str) -> Self:
        """The ledger of a project on a data set: it rations."""
        return cls._of("project", project, dataset)

    @classmethod
    def of_dataset(cls, dataset: str) -> Self:
        """The ledger of a data set, across versions: the guarantee if everybody colludes."""
        return cls._of("dataset", dataset)

    @classmethod
    def of_researcher(cls, person: str, dataset: str) -> Self:
        """The ledger of one asking researcher on a data set, where the policy has one."""
        return cls._of("researcher", person, dataset)

    @classmethod
    def _of(cls, *parts: str) -> Self:
        if not all(_PART.fullmatch(part) for part in parts):
            raise ValueError("a ledger is named by ids")
        return cls("/".join(parts))

    def __str__(self) -> str:
        return self.text
