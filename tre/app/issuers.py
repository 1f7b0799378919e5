"""The issuers that the settings name, with their keys and the people that their subjects are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from tre.app.settings import IssuerSettings
from tre.base.clock import Clock
from tre.base.reasons import Refused
from tre.base.reasons.app import SECRET_UNREADABLE
from tre.identity import (
    Issuer,
    MappedWords,
    Provider,
    PublishedKeys,
    Remembered,
    Unreachable,
    describe,
    fetch_json,
    is_fit,
    person_of,
    strict_object,
)
from tre.identity.fetching import MOST_BYTES
from tre.identity.jws import Malformed
from tre.store import Store


def outside_issuer(said: IssuerSettings, root: Path, store: Store, clock: Clock) -> Issuer:
    """Return a trusted issuer. Nothing is fetched before a token of it comes.

    :param root: the folder that a relative path of a key set starts from.
    """

    def recognise(subject: str) -> str:
        with store.reading() as tx:
            return person_of(tx, said.name, subject)

    return Issuer(
        said.name,
        said.audience,
        PublishedKeys(_reader(said.jwks, root, clock), said.algorithms, clock, said.refresh),
        recognise,
        MappedWords(said.acr, said.amr, said.otherwise),
        timedelta(seconds=said.longest),
    )


def sign_in_providers(
    said: Sequence[IssuerSettings], outside: Sequence[Issuer], root: Path, clock: Clock
) -> tuple[Provider, ...]:
    """Return the issuers at which people may sign in to the portal, in the order of the settings."""
    offered = [(one, one.sign_in) for one in said if one.sign_in is not None]
    issuers = {one.name: one for one in outside}
    return tuple(
        Provider(
            issuers[one.name],
            sign_in.label,
            sign_in.client,
            partial(_secret, root, sign_in.secret),
            Remembered(partial(describe, one.name, clock), clock, one.refresh),
            clock,
            alone=len(offered) == 1,
        )
        for one, sign_in in offered
    )


def _secret(root: Path, file: str | None) -> str | None:
    """Return a client's secret out of its file; None for a client without one."""
    if file is None:
        return None
    try:
        return (root / file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeError) as failed:
        raise Refused.because(SECRET_UNREADABLE, file=file) from failed


def _reader(jwks: str, root: Path, clock: Clock) -> Callable[[], dict[str, Any]]:
    if is_fit(jwks):
        return lambda: fetch_json(jwks, clock)
    return lambda: _read(root / jwks)


def _read(file: Path) -> dict[str, Any]:
    try:
        with file.open("rb") as opened:
            return strict_object(opened.read(MOST_BYTES))
    except (OSError, Malformed) as failed:
        raise Unreachable("not a readable file of JSON") from failed
