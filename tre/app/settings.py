"""Deployment settings: TOML that says everything, read strictly."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from audit.cosignatures import CosignatureVerifier
from tre.base.home import Home
from tre.base.reasons import Refused
from tre.base.reasons import app as reasons
from tre.identity import is_fit

_PACKAGE = Path(__file__).resolve().parent.parent
Positive = Annotated[int, Field(ge=1)]
Writer = Literal["embedded", "process"]
Algorithm = Literal["ES256", "RS256", "PS256", "EdDSA"]


def _fit(url: str) -> str:
    if not is_fit(url):
        raise ValueError("an https:// address, or http:// of this machine")
    return url


def _file_or_fit(place: str) -> str:
    return _fit(place) if "://" in place else place


def _not_local(word: str) -> str:
    if word == "local":
        raise ValueError("`local` is for the environment's own tokens and codes")
    return word


Word = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,39}$"), AfterValidator(_not_local)]
"""A way of signing in, as policies name it under `acr`."""


def _dark(colour: str) -> str:
    """Return a colour on which white text can be read: at a contrast of 4.5 to 1 (WCAG 2.2, 1.4.3)."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    if 1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05) < 4.5:
        raise ValueError("white text cannot be read on this colour")
    return colour


_SECRETS = {"password", "sslpassword", "oauth_client_secret", "scram_client_key", "scram_server_key"}
"""What libpq takes in an address and nobody should see."""


def _without_password(url: str) -> str:
    """Return an address that may be shown: a password in it would stand in settings, errors and process lists."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise ValueError("not an address") from None
    if parsed.password or _SECRETS & parsed.query.keys() or '"' in url or "\\" in url:
        raise ValueError("a password, or a sign that no address has")
    return url


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class ControlSettings(_Part):
    """The control database, where it is not SQLite in the home. libpq reads a password from the `passfile` named."""

    url: Annotated[str, Field(pattern=r"^postgresql://"), AfterValidator(_without_password)]


def _cosigners_key(text: str) -> str:
    CosignatureVerifier.parse(text)
    return text


class WitnessSettings(_Part):
    """Who cosigns the log's heads: the public key, as its operator published it, and where it is asked."""

    key: Annotated[str, AfterValidator(_cosigners_key)]
    url: Annotated[str, AfterValidator(_fit)]

    @property
    def name(self) -> str:
        """What the key says that the witness is called."""
        return self.key.partition("+")[0]


class LogSettings(_Part):
    """The log's name; who writes it, the server or a process of its own; who cosigns its heads.

    Of the witnesses `quorum` must have signed a head that is published as cosigned; they are asked every `every`
    seconds where there is a new one, and every `refresh` seconds where there is none.
    """

    origin: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9./-]{0,126}$")]
    writer: Writer
    witnesses: list[WitnessSettings]
    quorum: Positive
    every: Positive
    refresh: Positive

    @model_validator(mode="after")
    def _a_quorum_of_others(self) -> Self:
        names = {one.name for one in self.witnesses}
        if len({one.key for one in self.witnesses}) != len(self.witnesses) or self.origin in names:
            raise ValueError("a witness is named twice, or is the log itself")
        if names and self.quorum > len(names):
            raise ValueError("there are fewer witnesses")
        return self


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


class LimitSettings(_Part):
    """How many requests there may be within a minute; `proxies` stand before and each name whom they speak for."""

    questions: Positive
    failures: Positive
    anonymous: Positive
    proxies: Annotated[int, Field(ge=0, le=4)]


class RunnerSettings(_Part):
    """How questions are measured."""

    threads: Positive
    patience: Positive


class ServerOfVersions(_Part):
    """The PostgreSQL server in which versions stay: two roles of it, one that owns them and one that may read them.

    libpq reads their passwords from the `passfile` that each address names.
    """

    owner: Annotated[str, Field(pattern=r"^postgresql://[^@/]+@"), AfterValidator(_without_password)]
    reader: Annotated[str, Field(pattern=r"^postgresql://[^@/]+@"), AfterValidator(_without_password)]

    @property
    def role(self) -> str:
        """The name of the role that reads."""
        return str(make_url(self.reader).username)


class EngineSettings(_Part):
    """What one engine process may use: MiB, threads; and how many there are for one version.

    Versions are DuckDB files in the home, or stay in the server that `postgresql` names.
    """

    memory: Positive
    spill: Positive
    threads: Positive
    workers: Positive
    postgresql: ServerOfVersions | None = None


class OnboardingSettings(_Part):
    """What making a version may use."""

    memory: Positive
    threads: Positive


class SignInSettings(_Part):
    """How people sign in to the portal at an issuer: what it is called on the page, and what we are called there."""

    label: Annotated[str, Field(min_length=1, max_length=60)]
    client: Annotated[str, Field(pattern=r"^[!-~]{1,255}$")]
    secret: Annotated[str, Field(min_length=1)] | None = None


class IssuerSettings(_Part):
    """An outside issuer that is trusted to say who people are; what it must never be is said by its types.

    `name` and the words stand in log entries, so they are short and plain; `local` is for the environment alone.
    """

    name: Annotated[str, Field(pattern=r"^https?://[A-Za-z0-9._:@/+~-]{1,119}$"), AfterValidator(_fit)]
    audience: Annotated[str, Field(min_length=1)]
    jwks: Annotated[str, Field(min_length=1), AfterValidator(_file_or_fit)]
    algorithms: Annotated[list[Algorithm], Field(min_length=1)]
    longest: Annotated[int, Field(ge=1, le=86_400)]
    refresh: Annotated[int, Field(ge=1, le=3_600)]
    acr: dict[str, Word] = {}
    amr: dict[str, Word] = {}
    otherwise: Word | None = None
    sign_in: SignInSettings | None = None


class Settings(_Part):
    """All settings of a deployment."""

    issuers: list[IssuerSettings] = []
    control: ControlSettings | None = None
    log: LogSettings
    server: ServerSettings
    portal: PortalSettings
    limits: LimitSettings
    runner: RunnerSettings
    engine: EngineSettings
    onboarding: OnboardingSettings

    @model_validator(mode="after")
    def _each_issuer_once(self) -> Self:
        if len({issuer.name for issuer in self.issuers}) != len(self.issuers):
            raise ValueError("an issuer is named twice")
        return self


def read_settings(home: Home) -> Settings:
    """Return the settings of a home. Raises Refused (app.settings) with the first field that is wrong."""
    try:
        return Settings.model_validate(home.settings())
    except ValidationError as error:
        field = ".".join(str(part) for part in error.errors()[0]["loc"])
        # The cause quotes what was written, which may be a password where none belongs.
        raise Refused.because(reasons.SETTINGS, field=field, file=str(home.config)) from None
    except (OSError, ValueError) as error:
        raise Refused.because(reasons.SETTINGS, field="file", file=str(home.config)) from error


def control_url(control: str | None, home: Home) -> str:
    """Return where a control database is: at a PostgreSQL address, or in the home. Raises Refused (app.control)."""
    if control is None:
        return f"sqlite:///{home.control}"
    try:
        said = ControlSettings(url=control)
    except ValidationError:
        raise Refused.because(reasons.CONTROL) from None
    return said.url.replace("postgresql://", "postgresql+psycopg://", 1)


def source_address(source: str) -> str:
    """Return the address of a database that is a source. Raises Refused (app.source)."""
    try:
        return ControlSettings(url=source).url
    except ValidationError:
        raise Refused.because(reasons.SOURCE) from None


def settings_text(origin: str, control: str | None = None) -> str:
    """Return the shipped settings for a log called `origin`, and a control database at `control`."""
    installed = _PACKAGE / "_shipped" / "config"
    folder = installed if installed.is_dir() else _PACKAGE.parent / "config"
    text = (folder / "home.toml").read_text(encoding="utf-8")
    text = text.replace('"ORIGIN"', f'"{origin}"')
    return text if control is None else f'{text}\n[control]\nurl = "{control}"\n'
