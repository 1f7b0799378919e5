"""Identifiers become tokens in a file beside the version, which no question reaches; in the clear they are nowhere."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from tests.onboarding.small import (
    POLICY,
    FixedClock,
    Rows,
    changed,
    keyring,
    left_behind,
    make,
    make_from,
    policy,
    read,
    write_csv,
    write_duckdb,
    write_parquet,
)
from tre.base.reasons import Refused
from tre.base.statement import Statement
from tre.catalogue import Catalogue, Column, ColumnClass, IdentifierType
from tre.engines import DuckDBEngine, EngineFailed, EngineLimits
from tre.onboarding import Version, VersionRefused, side_tables
from tre.onboarding.tokens import side_file
from tre.policy import compile_policy, load_policy
from tre.policy.shipped import policies_folder
from tre.pseudonyms import Circle, Tokeniser, add_epoch, local_numbers, nhs_numbers

NHS, LOCAL = IdentifierType.NHS_NUMBER, IdentifierType.LOCAL_NUMBER
VALID = {1950: "9434765919", 1980: "943 476 5870", None: "4505577104"}
"""Valid numbers of the three people, by year of birth."""


def declared(kind: IdentifierType = NHS, **more: Any) -> Catalogue:
    """The policy with the column nhs_number said to be identifiers of a type."""
    columns = dict(POLICY.tables["person"].columns)
    columns["nhs_number"] = replace(columns["nhs_number"], identifier=kind, **more)
    return policy("person", columns=MappingProxyType(columns))


def numbered(numbers: dict[int | None, Any]) -> Rows:
    def give(found: Rows) -> None:
        for person in found["person"]:
            person["nhs_number"] = numbers.get(person["year_of_birth"])

    return changed(give)


def held(version: Version, kind: IdentifierType = NHS) -> dict[int | None, bytes]:
    """The tokens of a version by year of birth, as the side table and the version say together."""
    born = dict(read(version, "SELECT person_id, year_of_birth FROM person"))
    side = side_tables(version.path.parent)[kind]
    return {
        born[unit]: token for unit, token in zip(side.units.to_pylist(), side.column.tokens.to_pylist(), strict=True)
    }


def of_data_set(home: Path, *numbers: str, reader: Callable[..., Any] = nhs_numbers) -> list[bytes]:
    with Tokeniser(keyring(home)) as tokeniser:
        found: list[bytes] = tokeniser.for_data_set(POLICY.dataset, reader(pa.array(numbers))).tokens.to_pylist()
    return found


def test_each_person_has_the_token_of_their_own_number(tmp_path: Path) -> None:
    version = make_from(numbered(VALID), tmp_path, declared())
    assert held(version) == dict(zip(VALID, of_data_set(tmp_path, *VALID.values()), strict=True))
    column = side_tables(version.path.parent)[NHS].column
    assert (column.scope.circle, column.scope.name, column.scope.kind) == (Circle.DATA_SET, POLICY.dataset, NHS)
    assert (column.scope.epoch, len(column.key_id)) == (1, 16)


def test_every_kind_of_source_gives_the_same_tokens(tmp_path: Path) -> None:
    found = numbered(VALID)
    sources = [
        write_parquet(tmp_path / "parquet", found),
        write_csv(tmp_path / "csv", found),
        write_duckdb(tmp_path / "duckdb", found),
        write_parquet(tmp_path / "integers", numbered({born: int(n.replace(" ", "")) for born, n in VALID.items()})),
    ]
    tokens = [held(make(source, tmp_path, declared())) for source in sources]
    assert all(one == tokens[0] for one in tokens)


def test_what_is_no_nhs_number_has_no_token_and_is_told_to_nobody(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    said: list[tuple[str, float]] = []
    numbers = {1950: "9434765918", 1980: "0000000000", None: VALID[None]}
    version = make_from(numbered(numbers), tmp_path, declared(), progress=lambda *step: said.append(step))
    assert set(held(version)) == {None}
    assert said[-1] == ("tokens", 1)
    assert capfd.readouterr() == ("", "")
    sound = make_from(numbered(VALID), tmp_path, declared())
    written = [(one.path.parent / "version.json").read_text().splitlines() for one in (version, sound)]
    assert [line.split(":")[0] for line in written[0]] == [line.split(":")[0] for line in written[1]]
    assert version.commitment == sound.commitment, "the numbers are no content of a version"


def test_local_numbers_are_taken_to_the_letter(tmp_path: Path) -> None:
    version = make_from(numbered({1950: "RX1-00017", 1980: "", None: "x" * 15}), tmp_path, declared(LOCAL))
    assert held(version, LOCAL) == {1950: of_data_set(tmp_path, "RX1-00017", reader=local_numbers)[0]}
    assert list(side_tables(version.path.parent)) == [LOCAL]


def test_rows_that_are_left_out_give_no_token(tmp_path: Path) -> None:
    chosen = declared()
    person = replace(chosen.tables["person"], only_rows=(("year_of_birth", (1950,)),))
    tables = {"person": person, "location": chosen.tables["location"]}
    found = {name: lines for name, lines in numbered(VALID).items() if name in tables}
    found["person"].append({**found["person"][0], "year_of_birth": 1951, "nhs_number": VALID[1980]})
    version = make_from(found, tmp_path, replace(chosen, tables=MappingProxyType(tables)))
    assert held(version) == {1950: of_data_set(tmp_path, VALID[1950])[0]}


def test_without_a_declared_type_there_is_no_side_table(tmp_path: Path) -> None:
    version = make_from(numbered(VALID), tmp_path, keys=tmp_path / "none")
    assert sorted(file.name for file in version.path.parent.iterdir()) == ["data.duckdb", "version.json"]
    assert side_tables(version.path.parent) == {}


def without_numbers() -> Rows:
    return changed(lambda found: [person.pop("nhs_number") for person in found["person"]])


def test_a_source_without_the_column_is_refused_unless_it_is_optional(tmp_path: Path) -> None:
    with pytest.raises(VersionRefused, match=r"^onboarding\.missing-column$"):
        make_from(without_numbers(), tmp_path, declared())
    assert left_behind(tmp_path) == []
    version = make_from(without_numbers(), tmp_path, declared(optional=True))
    assert (version.absent, side_tables(version.path.parent)) == (("person.nhs_number",), {})


def test_without_its_keyring_a_version_is_refused_and_nothing_stays(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"^pseudonyms\.keyring-missing$"):
        make_from(numbered(VALID), tmp_path, declared(), keys=tmp_path / "none")
    assert left_behind(tmp_path) == []


def test_no_number_stands_in_any_file_while_a_version_is_made_nor_afterwards(tmp_path: Path) -> None:
    source = write_parquet(tmp_path / "source", numbered(VALID))
    numbers = [number.encode() for number in VALID.values()]
    numbers += [number.replace(b" ", b"") for number in numbers]
    looked: list[str] = []

    def search(step: str, _part: float) -> None:
        looked.append(step)
        for place in ("versions", "spill", "keys"):
            for file in (one for one in (tmp_path / place).rglob("*") if one.is_file() and not one.is_symlink()):
                content = file.read_bytes()
                assert not [number for number in numbers if number in content], (step, file)

    make(source, tmp_path, declared(), progress=search)
    search("afterwards", 1)
    assert {"read", "check", "cluster", "tokens", "afterwards"} <= set(looked)


def test_the_side_table_is_sealed_with_its_version(tmp_path: Path) -> None:
    file = side_file(make_from(numbered(VALID), tmp_path, declared()).path.parent, NHS)
    assert file.stat().st_mode & 0o777 == 0o400
    assert side_tables(file.parent)[NHS].units.to_pylist() == sorted(side_tables(file.parent)[NHS].units.to_pylist())


REACHING = (
    "SELECT count(*) AS n FROM read_blob('{file}')",
    "SELECT count(*) AS n FROM read_text('{file}')",
    "SELECT count(*) AS n FROM glob('{folder}/*')",
)


@pytest.mark.parametrize("sql", REACHING)
def test_the_process_that_answers_questions_cannot_reach_the_side_table(sql: str, tmp_path: Path) -> None:
    version = make_from(numbered(VALID), tmp_path, declared())
    file = side_file(version.path.parent, NHS)
    assert file.is_file()
    engine = DuckDBEngine(EngineLimits(memory=256 * 1024**2, spill=64 * 1024**2, threads=1), tmp_path / "engine")
    asked = sql.format(file=file, folder=file.parent)
    with duckdb.connect() as open_one:
        assert open_one.execute(asked).fetchall(), "an engine that is not closed could"
    try:
        with engine.slot(version.path, 30) as slot, pytest.raises(EngineFailed):
            slot.partials(Statement(sql=asked, parameters=(), dialect="duckdb", columns=(), tables=()), {}, 10)
    finally:
        engine.close()


def test_no_table_of_tokens_is_in_the_version_nor_in_the_catalogue(tmp_path: Path) -> None:
    version = make_from(numbered(VALID), tmp_path, declared())
    columns = {column for (column,) in read(version, "SELECT column_name FROM duckdb_columns() WHERE NOT internal")}
    assert not columns & {"nhs_number", "token", "identifier", "source"}
    shipped = compile_policy(load_policy(policies_folder() / "omop.yaml")).catalogue
    assert not shipped.tables["person"].columns["nhs_number"].visible
    assert shipped.table("tokens") is None


def test_a_new_version_keeps_the_tokens_and_changes_the_units(tmp_path: Path) -> None:
    one, two = (make_from(numbered(VALID), tmp_path, declared()) for _ in range(2))
    first, second = (side_tables(version.path.parent)[NHS] for version in (one, two))
    assert held(one) == held(two)
    assert not set(first.units.to_pylist()) & set(second.units.to_pylist())


def test_versions_of_two_epochs_are_not_joined(tmp_path: Path) -> None:
    old = side_tables(make_from(numbered(VALID), tmp_path, declared()).path.parent)[NHS].column
    add_epoch(keyring(tmp_path), FixedClock())
    new = side_tables(make_from(numbered(VALID), tmp_path, declared()).path.parent)[NHS].column
    assert new.scope.epoch == 2
    with pytest.raises(Refused, match=r"^pseudonyms\.keys-differ$"):
        old.rows_in(new)
    with Tokeniser(keyring(tmp_path)) as tokeniser:
        again = [tokeniser.for_project("asthma", column) for column in (old, new)]
    assert None not in again[0].rows_in(again[1]).to_pylist(), "re-encrypted for one project and epoch they join"


def test_an_identifier_says_its_type_in_the_catalogue_and_is_no_visible_column() -> None:
    column = declared().tables["person"].columns["nhs_number"]
    assert isinstance(column, Column)
    assert (column.klass, column.identifier, column.visible) == (ColumnClass.DIRECT_IDENTIFIER, NHS, False)
