"""The layout of TRE_HOME: one folder, 0700, that holds a deployment's state, log and keys (DESIGN "Home")."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDERS = ("log", "head", "keys", "versions", "spill")


@dataclass(frozen=True, slots=True)
class Home:
    """Where everything stands; `create` makes it, nothing else does."""

    root: Path

    @property
    def control(self) -> Path:
        """The SQLite control database."""
        return self.root / "control.db"

    @property
    def log(self) -> Path:
        """The audit log."""
        return self.root / "log"

    @property
    def head(self) -> Path:
        """The second place of the log's signed head."""
        return self.root / "head"

    @property
    def socket(self) -> Path:
        """Where the log's writer answers when it is a process of its own."""
        return self.root / "log.sock"

    @property
    def keys(self) -> Path:
        """Signing and wrapping keys, 0600 each."""
        return self.root / "keys"

    @property
    def versions(self) -> Path:
        """Immutable data-set versions."""
        return self.root / "versions"

    @property
    def spill(self) -> Path:
        """Private temporary space of engines and onboarding."""
        return self.root / "spill"

    @property
    def config(self) -> Path:
        """Deployment settings, TOML."""
        return self.root / "config.toml"

    @property
    def demonstration(self) -> Path:
        """The mark of a home that `tre demo` made, and may therefore replace."""
        return self.root / "demonstration"

    @property
    def vkey(self) -> Path:
        """The log's public verifier key: give it to everyone."""
        return self.root / "log.vkey"

    @property
    def second_vkey(self) -> Path:
        """The public half of the log's second key, ML-DSA-44."""
        return self.root / "log-ml-dsa.vkey"

    @property
    def exists(self) -> bool:
        """Whether `tre init` has finished here: the settings are written last."""
        return self.config.is_file()

    def create(self) -> None:
        """Make the folders, readable by their owner alone."""
        self.root.mkdir(parents=True, exist_ok=True)
        self.root.chmod(0o700)
        for folder in FOLDERS:
            (self.root / folder).mkdir(mode=0o700, exist_ok=True)

    def settings(self) -> dict[str, Any]:
        """Return the deployment settings as written."""
        with self.config.open("rb") as stream:
            return tomllib.load(stream)
