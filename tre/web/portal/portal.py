"""All pages on one application."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from flask import Flask

from tre.base.clock import Clock
from tre.identity import Principal
from tre.web.limits import Limits
from tre.web.oversight import Oversight
from tre.web.portal.asking import asking_pages
from tre.web.portal.charts import Charts
from tre.web.portal.controller import controller_pages
from tre.web.portal.problems import answer_problems
from tre.web.portal.public import public_pages
from tre.web.portal.rendering import Brand
from tre.web.portal.researcher import researcher_pages
from tre.web.portal.reviewing import reviewing_pages
from tre.web.portal.site import Front, Known, Page, Visits
from tre.web.service import Service


@dataclass(frozen=True, slots=True)
class Portal:
    """What the pages stand on. `known` tells a person's name and roles; nobody is counted where `counting` is None."""

    service: Service
    oversight: Oversight
    visitors: Visits
    known: Callable[[Principal], Known]
    clock: Clock
    brand: Brand = field(default_factory=Brand)
    counting: Limits | None = None


def every_page(portal: Portal) -> tuple[Page, ...]:
    """Return every page."""
    return (
        *public_pages(portal.service),
        *researcher_pages(portal.service),
        *asking_pages(portal.service, portal.clock, Charts()),
        *reviewing_pages(portal.oversight),
        *controller_pages(portal.oversight),
    )


def add_portal(app: Flask, portal: Portal) -> None:
    """Open the portal's pages on the application; refusals outside the API are pages from now on."""
    front = Front(portal.visitors, portal.known, portal.brand, portal.counting)
    front.open(app, every_page(portal))
    answer_problems(app, front)
