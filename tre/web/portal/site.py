"""The pages as records: each says its address, whom it is for, and what it does with a visit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

from flask import Blueprint, Flask, Response, g, render_template, request
from werkzeug.datastructures import MultiDict

from tre.base.reasons import Refused
from tre.identity import Principal
from tre.web.limits import Limits, Unlimited
from tre.web.portal.rendering import Brand, dress, framed, shipped


class Visits(Protocol):
    """Who sits at the browser: what pages need of `tre.web.visitors.Visitors`."""

    def principal(self) -> Principal:
        """Return who is signed in. Raises Refused (identity.session-missing, identity.session-ended)."""

    def guard(self) -> None:
        """Refuse (web.foreign-origin) an unsafe request that another site's page made the browser send."""


@dataclass(frozen=True, slots=True)
class Item:
    """A line of the main menu."""

    address: str
    words: str


_VERIFICATION = Item("/oversight/verification", "Verification")
_PROJECTS, _INCIDENTS = Item("/oversight/projects", "All projects"), Item("/oversight/incidents", "Incidents")
MENUS: Mapping[str, tuple[Item, ...]] = {
    "researcher": (Item("/projects", "Projects"), Item("/datasets", "Data dictionary")),
    "controller": (
        Item("/controller/datasets", "Data sets"),
        Item("/controller/check", "Check a policy"),
        _PROJECTS,
        _INCIDENTS,
        _VERIFICATION,
    ),
    "board": (_PROJECTS, Item("/oversight/log", "Log"), _INCIDENTS, _VERIFICATION),
    "operator": (_VERIFICATION,),
}
"""What each group of users finds at the top of every page."""

GROUPS: Mapping[str, tuple[str, ...]] = {
    "researcher": ("researcher",),
    "lead": ("researcher",),
    "board": ("board",),
    "auditor": ("board", "controller"),
    "controller": ("controller",),
    "operator": ("operator",),
}
"""The groups of users whose pages a role finds in the menu; what it may read there, the services decide."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the environment knows of a person: a name for the top of the page, and roles."""

    name: str
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who is signed in, as pages show them."""

    principal: Principal
    known: Known

    @property
    def name(self) -> str:
        """The name, or the id of whose name is not known any more."""
        return self.known.name or self.principal.person

    @property
    def roles(self) -> tuple[str, ...]:
        """The roles."""
        return self.known.roles

    @property
    def initials(self) -> str:
        """Two letters that stand for the person."""
        words = [word for word in self.name.replace(".", " ").split() if word not in ("Dr", "Prof", "Mr", "Ms", "Mrs")]
        return "".join(word[0] for word in (words[0], words[-1]) if word).upper() if words else "?"

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups of users that the person belongs to."""
        found = {group for role in self.roles for group in GROUPS.get(role, ())}
        return tuple(group for group in MENUS if group in found)

    @property
    def menu(self) -> tuple[Item, ...]:
        """The lines of the main menu."""
        return tuple(dict.fromkeys(item for group in self.groups for item in MENUS[group]))


@dataclass(frozen=True, slots=True)
class Visit:
    """One request for a page. `visitor` is None only on public pages; a form's fields come without their order."""

    visitor: Visitor | None
    path: Mapping[str, str]
    asked: MultiDict[str, str]
    form: MultiDict[str, str]

    @property
    def principal(self) -> Principal:
        """Who visits a page that is not public."""
        if self.visitor is None:
            raise LookupError("a page that is not public has a visitor; this is a bug, report it")
        return self.visitor.principal


@dataclass(frozen=True, slots=True)
class Shown:
    """A page to be rendered."""

    template: str
    values: Mapping[str, Any]
    status: int = 200


@dataclass(frozen=True, slots=True)
class Page:
    """One address. `path` is in Flask's notation; a page that takes forms says POST; `counted` ones take questions."""

    name: str
    path: str
    handle: Callable[[Visit], Shown | Response]
    method: str = "GET"
    public: bool = False
    counted: bool = False


class Front:
    """The door: who comes in, how often, guarded posts, rendered pages.

    :param known: tells a person's name and roles. :param counting: holds people and addresses to so many requests.
    """

    def __init__(
        self, visitors: Visits, known: Callable[[Principal], Known], brand: Brand, counting: Limits | None
    ) -> None:
        self._visitors = visitors
        self._known = known
        self._brand = brand
        self._counting = counting or Unlimited()

    def open(self, app: Flask, every: tuple[Page, ...]) -> None:
        """Route every page, and lend base.html and what it needs to whatever else is rendered."""
        dress(app, self._brand)
        portal = Blueprint("portal", __name__, template_folder="templates")
        for page in every:
            portal.add_url_rule(
                page.path, page.name, self._view(page), methods=[page.method], provide_automatic_options=False
            )
        portal.add_url_rule("/static/<name>", "static-file", lambda name: shipped(name, self._brand))
        app.register_blueprint(portal)
        app.context_processor(lambda: {"me": self.whoever(), "here": request.path})

    def show(self, shown: Shown) -> Response:
        """Render a page."""
        html = render_template(shown.template, **shown.values)
        return framed(Response(html, shown.status, content_type="text/html; charset=utf-8"))

    def whoever(self) -> Visitor | None:
        """Return who is signed in, if anybody is: for pages that everybody may see."""
        with suppress(Refused):
            return self._visitor()
        return None

    def _view(self, page: Page) -> Callable[..., Response]:
        def view(**path: str) -> Response:
            if page.method != "GET":
                self._visitors.guard()
            visitor = self.whoever()
            if visitor is None:
                self._counting.anonymous(request.remote_addr or "")
            if not page.public:
                visitor = self._visitor()
                if page.counted:
                    self._counting.question(visitor.principal.person)
            found = page.handle(Visit(visitor, path, request.args, request.form))
            return found if isinstance(found, Response) else self.show(found)

        return view

    def _visitor(self) -> Visitor:
        if "visitor" not in g:
            principal = self._visitors.principal()
            g.visitor = Visitor(principal, self._known(principal))
        visitor: Visitor = g.visitor
        return visitor


def go(address: str) -> Response:
    """Send the browser to a page after a form has done its work (303: a reload sends nothing twice)."""
    return Response(status=303, headers={"Location": address})
