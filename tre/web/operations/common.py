"""What several resources say alike."""

from __future__ import annotations

from tre.base.reasons import Refused
from tre.base.reasons.identity import TOKEN_PROJECT
from tre.identity import Principal
from tre.web.bodies import NAME

QUERY_ID = r"[A-Za-z0-9_-]{1,64}"
NAMED = NAME.strip("^$")
PROJECT = "/api/v1/projects/{id}"


def check_scope(person: Principal, project: str) -> None:
    """Refuse (identity.token-project) what a token made for another project asks."""
    if person.project not in (None, project):
        raise Refused.because(TOKEN_PROJECT)
