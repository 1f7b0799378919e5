"""The pages' content-security policy, as data: a page loads what this server ships and runs nothing written into it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

_NONE, _SELF = "'none'", "'self'"

PAGE: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "default-src": (_NONE,),
        "script-src": (_SELF,),
        "style-src": (_SELF,),
        "img-src": (_SELF, "data:"),
        "form-action": (_SELF,),
        "frame-ancestors": (_NONE,),
        "base-uri": (_NONE,),
        "require-trusted-types-for": ("'script'",),
        "trusted-types": (_NONE,),
    }
)
"""CSP 3 and Trusted Types: even a string that reached a script's sink would not run."""

OPERATIONS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {**PAGE, "connect-src": (_SELF,), "form-action": (_NONE,), "trusted-types": ("default", "dompurify")}
)
"""For the page that tries out operations: its script may ask this server, forms send nothing, and HTML goes through
the two policies that the page has: its own, which knows text alone, and that of what cleans descriptions."""

IMAGE: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"default-src": (_NONE,), "style-src": ("'unsafe-inline'",), "frame-ancestors": (_NONE,), "sandbox": ()}
)
"""For a chart that somebody opens by itself: the drawing styles its own shapes, and may do nothing else."""


def header(policy: Mapping[str, tuple[str, ...]]) -> str:
    """Return the policy as a header."""
    return "; ".join(" ".join((name, *sources)) for name, sources in policy.items())
