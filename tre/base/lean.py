"""What a process that serves leaves out."""

from __future__ import annotations

import sys
from importlib.abc import MetaPathFinder

_FRAMES = frozenset({"pandas", "polars"})


class _WithoutFrames(MetaPathFinder):
    """Says of the analysts' frames that they are not there."""

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> None:
        """Refuse frames, and leave everything else to the finders after this one."""
        if fullname in _FRAMES:
            raise ModuleNotFoundError(f"no process that serves has a use for {fullname}", name=fullname)


def leave_frames_out() -> None:
    """Keep pyarrow and opendp from loading pandas and polars, which they do wherever those are installed.

    Each process would hold 20 to 50 MB of them. For processes of this house's own: an analyst's asks for frames.
    """
    sys.meta_path.insert(0, _WithoutFrames())
