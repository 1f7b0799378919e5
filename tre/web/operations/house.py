"""The house itself: its health, and what its refusals mean."""

from __future__ import annotations

from markupsafe import escape

from tre.base.reasons import Refused
from tre.base.reasons.web import UNKNOWN_PATH
from tre.web.contract import HTML, Access, Call, Operation, Reply, Shape
from tre.web.problems import reasons_by_code, title
from tre.web.service import Service
from tre.web.views import HealthView

CODE = r"[a-z]+\.[a-z0-9-]+"


def house(service: Service) -> tuple[Operation, ...]:
    """Return the operations that tell of the house."""

    def health(_: Call) -> Reply:
        service.health()
        return Reply(HealthView())

    return (
        Operation(
            name="health",
            method="GET",
            path="/healthz",
            summary="Whether questions can be answered",
            handle=health,
            access=Access.PUBLIC,
            replies={200: Shape("They can", HealthView)},
        ),
        Operation(
            name="getProblem",
            method="GET",
            path="/problems/{code}",
            summary="What a problem type means and how to go on",
            handle=_problem,
            access=Access.PUBLIC,
            parameters={"code": CODE},
            replies={200: Shape("The page", media=HTML)},
        ),
    )


def _problem(call: Call) -> Reply:
    reason = reasons_by_code().get(call.path["code"])
    if reason is None:
        raise Refused.because(UNKNOWN_PATH)
    texts = [reason.sentence, reason.remedy, reason.explanation]
    paragraphs = "".join(f"<p>{escape(text)}</p>" for text in texts if text)
    head = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title(reason))}</title>'
    return Reply(f"{head}<h1>{escape(title(reason))}</h1><p><code>{escape(reason.code)}</code></p>{paragraphs}")
