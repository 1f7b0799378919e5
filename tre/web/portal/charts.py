"""An answer's chart as SVG: drawn once in a process that ends, and remembered for a while."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import OrderedDict
from pathlib import Path
from threading import Lock

from tre.base.reasons import Refused
from tre.base.reasons.web import UNKNOWN_PATH
from tre.client.charts import chart
from tre.web.views import ResultView

_DRAW = Path(__file__).with_name("draw.py")
_SECONDS = 20.0
_REMEMBERED = 32


class Charts:
    """Charts by query. Answers never change, so neither do they; one is drawn at a time."""

    def __init__(self) -> None:
        self._drawn: OrderedDict[str, str] = OrderedDict()
        self._drawing = Lock()

    def svg(self, result: ResultView) -> str:
        """Return the chart. Raises Refused (web.unknown-path) where the answer has none."""
        with self._drawing:
            if result.query not in self._drawn:
                self._drawn[result.query] = _draw(specification(result))
                while len(self._drawn) > _REMEMBERED:
                    self._drawn.popitem(last=False)
            return self._drawn[result.query]


def specification(result: ResultView) -> dict[str, object] | None:
    """Return the one chart that the client draws too; None where the answer has none."""
    found = result.model_dump(mode="json")
    return chart(found["columns"], found["rows"], result.level)


def _draw(spec: dict[str, object] | None) -> str:
    if spec is None:
        raise Refused.because(UNKNOWN_PATH)
    command = [sys.executable, "-I", str(_DRAW)]
    done = subprocess.run(  # noqa: S603 - this interpreter on a file of this package
        command, input=json.dumps(spec), capture_output=True, text=True, timeout=_SECONDS, check=True, env={}
    )
    return done.stdout
