"""Where tests find what this project does not ship, and how they say that it is missing."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def require(available: object, reason: str) -> None:
    """Skip the calling test with `reason` unless `available`; fail instead where TRE_REQUIRE_ALL=1 (CI)."""
    if available:
        return
    if os.environ.get("TRE_REQUIRE_ALL") == "1":
        pytest.fail(f"required but missing: {reason}")
    pytest.skip(reason)


def _outside(variable: str, default: str, name: str) -> Path:
    base = Path(os.environ.get(variable, ROOT.parent / "shared" / default))
    require((base / name).exists(), f"{name} not found: set {variable} to the folder that holds it")
    return base / name


def vectors(name: str) -> Path:
    """The folder or file of official test vectors `name` (TRE_VECTORS)."""
    return _outside("TRE_VECTORS", "vectors", name)


def data(name: str) -> Path:
    """The folder or file of outside data `name` (TRE_DATA)."""
    return _outside("TRE_DATA", "data", name)
