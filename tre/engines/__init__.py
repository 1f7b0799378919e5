"""Engines compute exact partials where the data lies, in a trust domain of their own."""

from tre.engines.duckdb import DuckDBEngine
from tre.engines.interface import Engine, EngineFailed, EngineLimits, Slot
from tre.engines.pool import sweep
from tre.engines.postgres import PostgresEngine

__all__ = ["DuckDBEngine", "Engine", "EngineFailed", "EngineLimits", "PostgresEngine", "Slot", "sweep"]
