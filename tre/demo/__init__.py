"""A synthetic OMOP CDM 5.4 population: realistic in shape, nobody's data."""

from tre.demo.population import generate
from tre.demo.schema import DIRECT_IDENTIFIERS, SCHEMAS

__all__ = ["DIRECT_IDENTIFIERS", "SCHEMAS", "generate"]
