"""Refusals and failures as pages: what happened, why, what to do next, from the catalogue of reasons alone."""

from __future__ import annotations

from flask import Flask, Response, request

from tre.web.app import PROBLEM_PAGE
from tre.web.portal.site import Front, Shown
from tre.web.views import ProblemView

MACHINES = ("/api/", "/healthz", "/readyz", "/metrics")
"""Addresses that programs call: they get problems as JSON."""


def answer_problems(app: Flask, front: Front) -> None:
    """Let people have pages where programs have JSON."""

    def page(problem: ProblemView) -> Response | None:
        if request.path.startswith(MACHINES):
            return None
        return front.show(Shown("problem.html", {"problem": problem}, problem.status))

    app.extensions[PROBLEM_PAGE] = page
