"""The researcher's pages: projects, the data dictionary, what was asked before, the budget."""

from __future__ import annotations

from tre.web.portal.dictionary import found
from tre.web.portal.paging import span
from tre.web.portal.site import Page, Shown, Visit
from tre.web.service import Service

PAGE_OF_HISTORY = 25


class _Researcher:
    def __init__(self, service: Service) -> None:
        self._service = service

    def projects(self, visit: Visit) -> Shown:
        projects = self._service.projects(visit.principal)
        budgets = {one.id: self._service.budget(visit.principal, one.id) for one in projects}
        return Shown("researcher/projects.html", {"projects": projects, "budgets": budgets})

    def project(self, visit: Visit) -> Shown:
        project = self._service.project(visit.principal, visit.path["id"])
        budget = self._service.budget(visit.principal, project.id)
        return Shown("researcher/project.html", {"project": project, "budget": budget})

    def budget(self, visit: Visit) -> Shown:
        project = self._service.project(visit.principal, visit.path["id"])
        budget = self._service.budget(visit.principal, project.id)
        return Shown("researcher/budget.html", {"project": project, "budget": budget})

    def history(self, visit: Visit) -> Shown:
        project = self._service.project(visit.principal, visit.path["id"])
        page = span(visit.asked, PAGE_OF_HISTORY)
        history = self._service.history(visit.principal, project.id, page.before, page.limit)
        values = {"project": project, "history": history, "before": page.before}
        return Shown("researcher/history.html", values)

    def datasets(self, visit: Visit) -> Shown:
        return Shown("researcher/datasets.html", {"datasets": self._service.datasets(visit.principal)})

    def dataset(self, visit: Visit) -> Shown:
        text = visit.asked.get("name", "")[:64]
        dataset = self._service.dataset(visit.principal, visit.path["name"])
        values = {"dataset": dataset, "tables": found(dataset, text), "text": text}
        return Shown("researcher/dataset.html", values)


def researcher_pages(service: Service) -> tuple[Page, ...]:
    """Return the pages that show a researcher's own."""
    do = _Researcher(service)
    return (
        Page("projects", "/projects", do.projects),
        Page("project", "/projects/<id>", do.project),
        Page("budget", "/projects/<id>/budget", do.budget),
        Page("history", "/projects/<id>/history", do.history),
        Page("datasets", "/datasets", do.datasets),
        Page("dataset", "/datasets/<name>", do.dataset),
    )
