"""The operations of the REST surface (DESIGN "The surface others rely on"), each one record; a module per resource.

A group of its own stands in a module of its own and goes to `create_app` as `more`.
"""

from __future__ import annotations

from tre.web.contract import Operation
from tre.web.operations.house import house
from tre.web.operations.log import log
from tre.web.operations.projects import projects
from tre.web.operations.questions import questions
from tre.web.service import Service


def operations(service: Service, longest: int) -> tuple[Operation, ...]:
    """Return every operation over `service` but the description of them; `longest` is the longest wait in seconds."""
    return (*questions(service, longest), *projects(service), *log(service), *house(service))
