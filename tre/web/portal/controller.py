"""The data controller's pages: own data sets, their policies and changes, who asks what, checking a policy."""

from __future__ import annotations

from tre.web.oversight import Oversight
from tre.web.portal.paging import span, whole
from tre.web.portal.site import Page, Shown, Visit

_LONGEST_POLICY = 120_000


class _Controller:
    def __init__(self, oversight: Oversight) -> None:
        self._oversight = oversight

    def datasets(self, visit: Visit) -> Shown:
        return Shown("controller/datasets.html", {"datasets": self._oversight.datasets(visit.principal)})

    def dataset(self, visit: Visit) -> Shown:
        dataset = self._oversight.dataset(visit.principal, visit.path["name"])
        history = self._oversight.policies(visit.principal, dataset.name)
        return Shown("controller/dataset.html", {"dataset": dataset, "policies": history.policies})

    def requests(self, visit: Visit) -> Shown:
        dataset = self._oversight.dataset(visit.principal, visit.path["name"])
        page = self._oversight.requests(visit.principal, dataset.name, span(visit.asked))
        values = {"dataset": dataset, "page": page, "before": visit.asked.get("before")}
        return Shown("controller/requests.html", values)

    def policy(self, visit: Visit) -> Shown:
        number = whole(visit.path["number"], "number")
        policy = self._oversight.policy(visit.principal, visit.path["name"], number)
        return Shown("controller/policy.html", {"policy": policy})

    def diff(self, visit: Visit) -> Shown:
        old, new = (whole(visit.asked.get(name, ""), name) for name in ("old", "new"))
        found = self._oversight.diff(visit.principal, visit.path["name"], old, new)
        return Shown("controller/diff.html", {"diff": found, "whole": "whole" in visit.asked})

    def check(self, visit: Visit) -> Shown:
        return Shown("controller/check.html", {"text": "", "found": None})

    def checked(self, visit: Visit) -> Shown:
        text = visit.form.get("text", "").replace("\r\n", "\n")[:_LONGEST_POLICY]
        return Shown("controller/check.html", {"text": text, "found": self._oversight.lint(visit.principal, text)})


def controller_pages(oversight: Oversight) -> tuple[Page, ...]:
    """Return the pages of data controllers."""
    do = _Controller(oversight)
    one = "/controller/datasets/<name>"
    return (
        Page("own-datasets", "/controller/datasets", do.datasets),
        Page("own-dataset", one, do.dataset),
        Page("own-requests", f"{one}/questions", do.requests),
        Page("own-policy", f"{one}/policies/<number>", do.policy),
        Page("own-diff", f"{one}/changes", do.diff),
        Page("policy-check", "/controller/check", do.check),
        Page("policy-checked", "/controller/check", do.checked, method="POST"),
    )
