"""Reasons in general: an entry keeps codes, so what a sentence names of one case is left out."""

from __future__ import annotations

import re

from tre.web.oversight_views import CodeView
from tre.web.problems import reasons_by_code

_PLACEHOLDERS = re.compile(r"\{\w+\}(?:\.\{\w+\})*")


def code_view(code: str) -> CodeView:
    """Return a reason by its code; one that this release does not know is shown as its code."""
    reason = reasons_by_code().get(code)
    if reason is None:
        return CodeView(code=code, sentence=code, remedy="An earlier release wrote this code; its manual explains it.")
    return CodeView(code=code, sentence=_general(reason.sentence), remedy=_general(reason.remedy))


def _general(text: str) -> str:
    return _PLACEHOLDERS.sub("…", text)
