"""From a source to an immutable version: what the policy declares is enforced here or refused."""

from tre.onboarding.bounds import measure_bounds
from tre.onboarding.folders import sweep
from tre.onboarding.refusal import VersionRefused
from tre.onboarding.server import Server, forgetting
from tre.onboarding.stage import Limits
from tre.onboarding.steps import discard, onboard
from tre.onboarding.tokens import SideTable, side_tables
from tre.onboarding.version import Version, load_version

__all__ = [
    "Limits",
    "Server",
    "SideTable",
    "Version",
    "VersionRefused",
    "discard",
    "forgetting",
    "load_version",
    "measure_bounds",
    "onboard",
    "side_tables",
    "sweep",
]
