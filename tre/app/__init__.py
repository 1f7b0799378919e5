"""The composition root: settings become store, journal, engines, flows and faces here, and nowhere else."""

from tre.app.admin import open_admin

__all__ = ["open_admin"]
