"""A small furnished home for tests: the synthetic population under the shipped policy, one researcher, one project."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from pathlib import Path

from tre.app.admin import open_admin
from tre.app.compose import House
from tre.base.home import Home
from tre.broker import Asker
from tre.cli.admin import NewPerson, NewProject
from tre.decide import Question
from tre.demo import generate
from tre.privacy.request import Ask

ROOT = Path(__file__).resolve().parent.parent
POLICY = ROOT / "policies" / "omop.yaml"
DATASET, PROJECT, PERSON = "small", "study", "okafor"
OKAFOR = Asker(PERSON, "local", "t_test")
COUNT = "SELECT COUNT(*) AS n FROM person"


def furnish(
    root: Path,
    people: int = 400,
    *,
    release_every: str = "0 ms",
    epsilon: str = "5",
    control: str | None = None,
    engine: tuple[str, str] | None = None,
    pure: bool = False,
) -> House:
    """Make a home at `root` with `people` people, answers leaving at `release_every`, a project of `epsilon`.

    With `engine`, the addresses of an owner and of a reader, versions stay in that PostgreSQL server.
    """
    admin = open_admin(root)
    admin.init(root, "test.example/log", control)
    if engine is not None:
        with (root / "config.toml").open("a") as config:
            config.write(f'\n[engine.postgresql]\nowner = "{engine[0]}"\nreader = "{engine[1]}"\n')
    source = root.parent / f"{root.name}-source"
    generate(people, 7, source)
    policy = root.parent / f"{root.name}-policy.yaml"
    text = POLICY.read_text()
    assert "release every: 250 ms" in text
    policy.write_text(_pure(text) if pure else text.replace("release every: 250 ms", f"release every: {release_every}"))
    admin.dataset_add(DATASET, source, policy, lambda _step, _fraction: None)
    admin.person_add(NewPerson(PERSON, "Dr A. Okafor", ("researcher",)))
    admin.person_add(NewPerson("colleague", "Dr C. Colleague", ("researcher",)))
    admin.person_add(NewPerson("lead", "Prof D. Lead", ("lead",)))
    admin.person_add(NewPerson("stranger", "Dr B. Stranger", ("researcher",)))
    project = NewProject(
        PROJECT,
        (DATASET,),
        (PERSON, "colleague", "lead"),
        ("DUO:0000006",),
        Decimal(epsilon),
        Decimal("0" if pure else "1e-6"),
    )
    admin.project_add(project)
    admin.house.close()
    return House(Home(root))


def _pure(text: str) -> str:
    """Return the shipped policy under pure differential privacy, answers leaving when ready."""
    rewritten = {
        "measure: zcdp": "measure: pure",
        ", delta: 2e-7}": "}",
        ", delta: 1e-6}": "}",
        ", delta: 4e-6}": "}",
        "  delta: {conversion: 1e-7, keys: 1e-9}\n": "",
        "release every: 250 ms": "release every: 0 ms",
    }
    for old, new in rewritten.items():
        assert old in text, old
        text = text.replace(old, new)
    return text


def question(sql: str = COUNT, epsilon: str | None = "0.1", **ask: object) -> Question:
    """Return a question at a price."""
    return Question(sql, "postgres", Ask(None if epsilon is None else Fraction(epsilon), **ask))
