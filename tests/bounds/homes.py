"""A home whose policy leaves bounds open: 2,000 people, their visits and what those cost."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import duckdb

from tre.app.admin import HomeAdmin, open_admin
from tre.broker import Asker
from tre.cli.admin import Added, NewPerson, NewProject

DATASET, PROJECT, PERSON = "clinic", "study", "okafor"
OKAFOR = Asker(PERSON, "local", "t_test")
PEOPLE = 2000
POLICY = """
policy: clinic
controller: {name: Northfield NHS Foundation Trust, contact: data-access@northfield.example}
register: {title: Visits of a synthetic population}
lawful basis: {gdpr 6: 6(1)(e)}
purposes: {allowed: [DUO:0000006]}
people: {researcher: {needs: [accreditation, ig-training], acr: [local]}}
unit: {table: person, key: person_id}
budget:
  measure: zcdp
  per answer: {epsilon: 1, delta: 2e-7}
  per project: {epsilon: 20, delta: 1e-6}
  data set: {epsilon: 40, delta: 4e-6}
  bounds: {epsilon: 2}
  delta: {conversion: 1e-7, keys: 1e-9}
answers: {known keys: 2000, release every: 0 ms}
tables:
  person:
    access: private
    unit: person_id
    rows per person: 1
    magnitude: 10 thousand people
    unique: [person_id]
    columns:
      person_id: {class: unit key, type: integer}
      sex: {class: quasi-identifier, type: integer, domain: [0, 1]}
  visit:
    access: private
    unit: person_id
    rows per person: 200
    magnitude: 50 rows per person
    columns:
      person_id: {class: unit key, type: integer}
      ward: {class: sensitive, type: integer}
      day: {class: sensitive, type: date, bounds: automatic}
      cost: {class: sensitive, type: "decimal(12, 2)"}
      fee: {class: sensitive, type: "decimal(12, 2)", bounds: [0, 100]}
"""
_SOURCE = {
    "person": f"SELECT i AS person_id, i % 2 AS sex FROM range({PEOPLE}) t(i)",
    # Person i has 1 + i % 16 visits; a visit costs 10 to 89, and for one person in 200 a hundred times as much.
    "visit": "SELECT i AS person_id, j % 7 AS ward, "
    "DATE '2010-01-01' + CAST((i * 13 + j * 31) % 3000 AS INTEGER) AS day, "
    "CAST((10 + (i * 7 + j * 3) % 80) * CASE WHEN i % 200 = 199 THEN 100 ELSE 1 END AS DECIMAL(12, 2)) AS cost, "
    f"CAST(j % 50 AS DECIMAL(12, 2)) AS fee FROM range({PEOPLE}) t(i), range(16) u(j) WHERE j <= i % 16",
}


def furnish(root: Path, policy: str = POLICY) -> HomeAdmin:
    """Make a home at `root` with the data set, a researcher and a project; return its commands."""
    admin = open_admin(root)
    admin.init(root, "test.example/log")
    add_version(admin, policy)
    admin.person_add(NewPerson(PERSON, "Dr A. Okafor", ("researcher",)))
    add_project(admin, PROJECT)
    return admin


def add_version(admin: HomeAdmin, policy: str = POLICY) -> Added:
    """Add the data once more, as the next version; return what was made."""
    root = admin.house.home.root
    source, file = root.parent / f"{root.name}-source", root.parent / f"{root.name}.yaml"
    file.write_text(policy)
    source.mkdir(exist_ok=True)
    with duckdb.connect() as connection:
        for table, sql in _SOURCE.items():
            connection.execute(f"COPY ({sql}) TO '{source}/{table}.parquet'")
    return admin.dataset_add(DATASET, source, file, lambda _step, _fraction: None)


def add_project(admin: HomeAdmin, name: str, epsilon: str = "20") -> None:
    """Add a project of the researcher."""
    grant = (Decimal(epsilon), Decimal("1e-6"))
    admin.project_add(NewProject(name, (DATASET,), (PERSON,), ("DUO:0000006",), *grant))
