"""How far a budget reaches: counts at a given accuracy until the ledger itself refuses, nothing kept for group keys."""

from __future__ import annotations

from fractions import Fraction
from math import floor
from pathlib import Path

from bench.houses import DATASET, PERSON, PROJECT, ROOT, furnished
from bench.report import Report, Series, Target
from bench.scale import Scale
from tre.app.compose import House
from tre.app.serving import Running
from tre.base.cost import Measure
from tre.base.home import Home
from tre.broker import Asker
from tre.decide import Question
from tre.demo import generate
from tre.ledger import LedgerId, balance
from tre.privacy import accounting
from tre.privacy.accuracy import Accuracy
from tre.privacy.request import Ask

_DELTA = Fraction(1, 10**6)
_WIDTH = 100
_NORMAL = Fraction("1.959964")
_ASKER = Asker(PERSON, "local")
# The project itself is granted delta 10⁻⁶, all of which is the conversion's: group names cannot be bought.
_REWRITTEN = {
    "{epsilon: 1, by default: 0.5, delta: 2e-7}": "{epsilon: 0.4, by default: 0.1, delta: 2e-6}",
    "delta: {conversion: 1e-7, keys: 1e-9}": "delta: {conversion: 1e-6, keys: 1e-9}",
    "release every: 250 ms": "release every: 0 ms",
}


def run(folder: Path, scale: Scale) -> Report:
    """Ask different counts at ±100 people until the project's ledger at (4, 10⁻⁶) refuses one."""
    epsilon = Fraction(scale.of(40, 4), 10)
    running = Running(House(Home(_home(folder, epsilon))))
    try:
        taken = _asked_until_refused(running)
        widths = [_half_width(running, query) for query in taken]
        with running.broker.parts.store.reading() as tx:
            at = balance(tx, LedgerId.of_project(PROJECT, DATASET))
    finally:
        running.stop()
    most = _by_arithmetic(epsilon)
    return Report(
        f"Counts at ±{_WIDTH} people from a budget of epsilon {float(epsilon):g} at delta 10⁻⁶",
        f"Different counts, each asked at ±{_WIDTH} at 95 %, through the whole path until the project's ledger refuses "
        f"one; no share of its delta is kept for group keys. By arithmetic, with continuous noise, {most:,} fit.",
        (Series("half-width of an answer's interval", "people", tuple(widths)),),
        (
            Target("answers", "counts", len(taken), least=scale.of(1550, 1)),
            Target("fit by arithmetic", "counts", most),
            Target("budget spent", "%", 100 * at.spent.amount / at.limit.amount, bound=100),
            Target("widest interval", "people", max(widths), bound=_WIDTH),
        ),
    )


def _home(folder: Path, epsilon: Fraction) -> Path:
    generate(1000, 7, folder / "source")
    text = (ROOT / "policies" / "omop.yaml").read_text()
    for old, new in _REWRITTEN.items():
        if old not in text:
            raise RuntimeError("the shipped policy has other budgets than this scenario rewrites")
        text = text.replace(old, new)
    project = "per project: {epsilon: 5, delta: 1e-6}"
    return furnished(folder, text.replace(project, f"per project: {{epsilon: {float(epsilon):g}, delta: 2e-6}}"))


def _asked_until_refused(running: Running) -> list[str]:
    taken = []
    for number in range(10**6):
        sql = f"SELECT COUNT(*) AS n FROM person WHERE year_of_birth <> {1000 + number}"
        question = Question(sql, "postgres", Ask(accuracy=Accuracy(Fraction(_WIDTH))))
        found = running.broker.submit(_ASKER, PROJECT, None, question)
        if not found.queued:
            if [refusal.reason.code for _, refusal in found.refusals] != ["budget.exhausted"]:
                raise RuntimeError("refused for another reason than the budget")
            break
        taken.append(found.id)
        running.broker.wait(_ASKER, found.id, 60)
    return taken


def _half_width(running: Running, query: str) -> float:
    answer = running.broker.find(_ASKER, query).job.answer
    if answer is None:
        raise RuntimeError("a count was not answered")
    _, low, high = answer.result["rows"][0]
    return float(high - low) / 2


def _by_arithmetic(epsilon: Fraction) -> int:
    """Return rho(epsilon, delta) over the rho of one count whose Gaussian noise has that interval: 1.96²/(2·100²)."""
    whole = accounting.price(Measure.ZCDP, epsilon, _DELTA).rho
    return floor(whole / (_NORMAL**2 / (2 * _WIDTH**2)))
