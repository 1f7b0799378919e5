"""The total forms of functions for PostgreSQL, by name; what is not here has the text that both engines read alike."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from tre.sql.functions.form import Rendering
from tre.sql.functions.postgres import casting, exact, moments, numbers, words
from tre.sql.functions.postgres.pieces import LARGEST, cast, declared, let, literal, type_name

FORMS: Mapping[str, Rendering] = MappingProxyType(
    {**numbers.FORMS, **casting.FORMS, **moments.FORMS, **words.FORMS, **exact.FORMS}
)

__all__ = ["FORMS", "LARGEST", "cast", "declared", "let", "literal", "type_name"]
