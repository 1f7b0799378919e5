"""Engines compute exact partials where the data lies, in a trust domain of their own."""

from tre.engines.duckdb import DuckDBEngine
from tre.engines.interface import Engine, EngineFailed, EngineLimits, Slot
from tre.engines.pool import PooledEngine, sweep
from tre.engines.postgres import VERSION_FILE, PostgresEngine

__all__ = [
    "VERSION_FILE",
    "DuckDBEngine",
    "Engine",
    "EngineFailed",
    "EngineLimits",
    "PooledEngine",
    "PostgresEngine",
    "Slot",
    "sweep",
]
