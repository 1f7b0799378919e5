"""The `tre` command."""

from tre.cli.entry import main

__all__ = ["main"]
