"""The shipped policy covers OMOP 5.3 and 5.4 column by column, GiBleed, and the synthetic population."""

import csv
import json
import re
from decimal import Decimal
from functools import cache
from pathlib import Path

import pytest

from tests.support import data, require
from tre.catalogue import Access, Catalogue, ColumnClass, Kind
from tre.policy import compile_policy, lint, load_policy
from tre.policy.schema import NAME, policy_schema
from tre.policy.shipped import policies_folder
from tre.policy.text import read_yaml

OMOP = policies_folder() / "omop.yaml"
TYPES = {"integer": Kind.INTEGER, "float": Kind.DOUBLE, "date": Kind.DATE, "datetime": Kind.TIMESTAMP}
NEVER_PUBLIC = {"person", "location", "cost", "fact_relationship", "death", "note", "care_site", "provider", "cohort"}


@cache
def catalogue() -> Catalogue:
    return compile_policy(load_policy(OMOP), "demo").catalogue


@cache
def written() -> dict:
    return read_yaml(OMOP.read_text(encoding="utf-8")).content["tables"]


def dictionary(version: str) -> list[dict[str, str]]:
    path = data("omop") / f"OMOP_CDMv{version}_Field_Level.csv"
    with path.open(encoding="utf-8-sig", newline="") as lines:
        return [
            {"table": row["cdmTableName"].lower(), "column": row["cdmFieldName"].lower().strip('"'), **row}
            for row in csv.DictReader(lines)
        ]


def tables(version: str) -> set[str]:
    path = data("omop") / f"OMOP_CDMv{version}_Table_Level.csv"
    with path.open(encoding="utf-8-sig", newline="") as lines:
        return {row["cdmTableName"].lower() for row in csv.DictReader(lines)}


def test_it_is_valid_without_a_remark():
    assert lint(OMOP) == ()


@pytest.mark.parametrize("version", ["5.3", "5.4"])
def test_it_says_something_of_every_table_and_column_of_the_model(version):
    named = catalogue().tables
    assert tables(version) <= named.keys()
    for field in dictionary(version):
        table = named[field["table"]]
        assert table.access is Access.HIDDEN or field["column"] in table.columns, field["table"] + field["column"]


@pytest.mark.parametrize("version", ["5.3", "5.4"])
def test_types_are_the_models(version):
    for field in dictionary(version):
        table = catalogue().tables[field["table"]]
        column = table.columns.get(field["column"])
        if column is None or not column.visible:
            continue
        wanted = field["cdmDatatype"].lower()
        if column.type.kind is Kind.DECIMAL:
            assert (field["table"], wanted) == ("cost", "float"), "money lies on a grid of pence"
        elif wanted.startswith("varchar"):
            assert (column.type.kind, column.max_length) == (Kind.TEXT, int(re.sub(r"\D", "", wanted)))
        else:
            assert column.type.kind is TYPES[wanted]


def test_only_what_both_versions_have_is_asked_of_a_source():
    both = [{(field["table"], field["column"]) for field in dictionary(version)} for version in ("5.3", "5.4")]
    for table in catalogue().tables.values():
        for column in table.columns.values():
            field = (table.name, column.name)
            extra = field not in both[0] | both[1]
            one_version = len({field} & both[0]) + len({field} & both[1]) == 1
            if (
                column.visible
                and not table.name.startswith("episode")
                and column.name in written()[table.name]["columns"]
            ):
                assert column.optional == (one_version or extra), field


def test_whoever_is_linked_to_a_person_is_private_or_hidden_and_never_public():
    public = {table.name for table in catalogue().tables.values() if table.access is Access.PUBLIC}
    assert not public & NEVER_PUBLIC
    for field in dictionary("5.3") + dictionary("5.4"):
        if field["column"] in ("person_id", "subject_id", "fact_id_1"):
            assert catalogue().tables[field["table"]].access in (Access.PRIVATE, Access.HIDDEN)
    assert catalogue().table("fact_relationship") is None
    assert catalogue().tables["cost"].access is Access.PRIVATE
    assert catalogue().tables["cost"].only_rows == (("cost_domain_id", ("Visit",)),), "its event may be no visit"


def test_identifiers_and_verbatim_texts_are_never_copied():
    for table in catalogue().tables.values():
        for column in table.columns.values():
            if column.name.endswith("_source_value") and column.name != "country_source_value":
                assert column.klass is ColumnClass.DIRECT_IDENTIFIER, f"{table.name}.{column.name}"
    person, location = catalogue().tables["person"], catalogue().tables["location"]
    hidden = ("nhs_number", "postcode", "date_of_birth", "birth_datetime", "day_of_birth", "person_source_value")
    assert not any(person.columns[name].visible for name in hidden)
    assert not any(
        location.columns[name].visible for name in ("address_1", "address_2", "zip", "latitude", "longitude")
    )
    provider = catalogue().tables["provider"].columns
    assert not any(provider[name].visible for name in ("provider_name", "npi", "dea"))


def test_every_private_table_has_a_unit_a_cap_and_a_magnitude():
    for table in catalogue().tables.values():
        if table.access is Access.PRIVATE:
            assert table.unit == "person_id"
            assert table.rows_per_unit
            assert table.magnitude


def test_no_key_is_declared_that_public_sources_repeat():
    for name in ("drug_exposure", "measurement", "observation"):
        assert catalogue().tables[name].unique == (), "GiBleed repeats its ids"


def test_researchers_may_sign_in_locally():
    policy = compile_policy(load_policy(OMOP))
    assert all("local" in asked.acr for asked in policy.people.values())


def test_it_lists_every_column_of_gibleed():
    parquet = pytest.importorskip("pyarrow.parquet")
    for path in sorted(data("gibleed").glob("*.parquet")):
        table = catalogue().tables[path.stem]
        if table.access is not Access.HIDDEN:
            assert set(parquet.read_schema(path).names) <= table.columns.keys(), path.stem


def test_it_lists_every_column_of_the_synthetic_population_and_hides_its_identifiers():
    schema = pytest.importorskip("tre.demo.schema")
    for name, fields in schema.SCHEMAS.items():
        table = catalogue().tables[name]
        assert set(fields.names) <= table.columns.keys(), name
        needed = {column.name for column in table.columns.values() if column.visible and not column.optional}
        if not table.unit_via:
            assert needed <= set(fields.names), name
    for name, columns in schema.DIRECT_IDENTIFIERS.items():
        assert not any(catalogue().tables[name].columns[column].visible for column in columns)


# ---- The schema for editors


def test_the_committed_schema_is_that_of_the_models():
    committed = (policies_folder() / NAME).read_text(encoding="utf-8")
    assert committed == policy_schema(), "run: python -m tre.policy.schema"


def test_the_schema_accepts_what_the_models_accept():
    jsonschema = pytest.importorskip("jsonschema")
    validator = jsonschema.Draft202012Validator(json.loads(policy_schema()))
    validator.check_schema(validator.schema)
    assert not list(validator.iter_errors(_plain(read_yaml(OMOP.read_text(encoding="utf-8")).content)))
    assert list(validator.iter_errors({"policy": "x", "colour": "red"}))


def _plain(value):
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return float(value) if isinstance(value, Decimal) else value


def test_the_shipped_folder_holds_what_the_rules_need():
    require(policies_folder().is_dir(), "the policies folder")
    for name in ("core.cedar", "core.cedarschema", "omop.yaml", NAME, "README.md"):
        assert Path(policies_folder() / name).is_file(), name
