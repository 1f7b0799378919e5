"""Engines compute exact partials where the data lies, in a trust domain of their own."""

from tre.engines.duckdb import DuckDBEngine, sweep
from tre.engines.interface import Engine, EngineFailed, EngineLimits, Slot

__all__ = ["DuckDBEngine", "Engine", "EngineFailed", "EngineLimits", "Slot", "sweep"]
