"""Where the reviewed rules lie: beside the package in an installed wheel, at the top of a checkout otherwise."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent.parent


def policies_folder() -> Path:
    """Return the folder that holds core.cedar, its schema and the shipped policy documents."""
    installed = _PACKAGE / "_shipped" / "policies"
    return installed if installed.is_dir() else _PACKAGE.parent / "policies"
