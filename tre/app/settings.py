"""Deployment settings: TOML that says everything, read strictly."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from tre.base.home import Home
from tre.base.reasons import Refused
from tre.base.reasons import app as reasons

_PACKAGE = Path(__file__).resolve().parent.parent
Positive = Annotated[int, Field(ge=1)]
Writer = Literal["embedded", "process"]


def _dark(colour: str) -> str:
    """Return a colour on which white text can be read: at a contrast of 4.5 to 1 (WCAG 2.2, 1.4.3)."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    if 1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05) < 4.5:
        raise ValueError("white text cannot be read on this colour")
    return colour


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class LogSettings(_Part):
    """The log's name, and who writes it: the server, or a process of its own."""

    origin: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9./-]{0,126}$")]
    writer: Writer


class ServerSettings(_Part):
    """How the server answers."""

    threads: Positive
    audience: str


class PortalSettings(_Part):
    """What the portal is called, where people's browsers find it, and how long they stay signed in."""

    name: Annotated[str, Field(min_length=1, max_length=60)]
    colour: Annotated[str, Field(pattern=r"^#[0-9a-f]{6}$"), AfterValidator(_dark)]

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
