"""Pages that everybody may read, and the start page of each group of users."""

from __future__ import annotations

from tre.base.reasons import Refused
from tre.base.reasons.web import UNKNOWN_PATH
from tre.web.portal.site import Page, Shown, Visit
from tre.web.problems import reasons_by_code, title
from tre.web.service import Service


class _Public:
    def __init__(self, service: Service) -> None:
        self._service = service

    def start(self, visit: Visit) -> Shown:
        return Shown("public/start.html", {})

    def recorded(self, visit: Visit) -> Shown:
        return Shown("public/recorded.html", {})

    def accessibility(self, visit: Visit) -> Shown:
        return Shown("public/accessibility.html", {})

    def log(self, visit: Visit) -> Shown:
        checkpoint = self._service.checkpoint()
        origin, size, root = checkpoint.splitlines()[:3]
        return Shown("public/log.html", {"checkpoint": checkpoint, "origin": origin, "size": size, "root": root})

    def reason(self, visit: Visit) -> Shown:
        reason = reasons_by_code().get(visit.path["code"])
        if reason is None:
            raise Refused.because(UNKNOWN_PATH)
        return Shown("public/reason.html", {"reason": reason, "title": title(reason)})


def public_pages(service: Service) -> tuple[Page, ...]:
    """Return the public pages."""
    do = _Public(service)
    return (
        Page("start", "/", do.start, public=True),
        Page("recorded", "/recorded", do.recorded, public=True),
        Page("accessibility", "/accessibility", do.accessibility, public=True),
        Page("log", "/log", do.log, public=True),
        Page("reason", "/problems/<code>", do.reason, public=True),
    )
