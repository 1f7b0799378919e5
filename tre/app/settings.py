"""Deployment settings: TOML that says everything, read strictly."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tre.base.home import Home
from tre.base.reasons import Refused
from tre.base.reasons import app as reasons

_PACKAGE = Path(__file__).resolve().parent.parent
Positive = Annotated[int, Field(ge=1)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class LogSettings(_Part):
    """The log's name."""

    origin: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9./-]{0,126}$")]


class ServerSettings(_Part):
    """How the server answers."""

    threads: Positive
    audience: str


class PortalSettings(_Part):
    """Where people's browsers find the portal, and how long they stay signed in."""

    url: Annotated[str, Field(pattern=r"^$|^https://[a-z0-9.-]+(:[0-9]{1,5})?$")]
    idle: Positive
    longest: Positive
    demonstration: bool


class RunnerSettings(_Part):
    """How questions are measured."""

    threads: Positive
    patience: Positive


class EngineSettings(_Part):
    """What one engine process may use: MiB, threads; and how many there are for one version."""

    memory: Positive
    spill: Positive
    threads: Positive
    workers: Positive


class OnboardingSettings(_Part):
    """What making a version may use."""

    memory: Positive
    threads: Positive


class Settings(_Part):
    """All settings of a deployment."""

    log: LogSettings
    server: ServerSettings
    portal: PortalSettings
    runner: RunnerSettings
    engine: EngineSettings
    onboarding: OnboardingSettings


def read_settings(home: Home) -> Settings:
    """Return the settings of a home. Raises Refused (app.settings) with the first field that is wrong."""
    try:
        return Settings.model_validate(home.settings())
    except ValidationError as error:
        field = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise Refused.because(reasons.SETTINGS, field=field, file=str(home.config)) from error
    except (OSError, ValueError) as error:
        raise Refused.because(reasons.SETTINGS, field="file", file=str(home.config)) from error


def settings_text(origin: str) -> str:
    """Return the shipped settings for a log called `origin`."""
    installed = _PACKAGE / "_shipped" / "config"
    folder = installed if installed.is_dir() else _PACKAGE.parent / "config"
    text = (folder / "home.toml").read_text(encoding="utf-8")
    return text.replace('"ORIGIN"', f'"{origin}"')
