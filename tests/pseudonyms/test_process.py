"""The process that holds the keys: tokens come out, keys and identifiers do not."""

import os
import re
import signal
from contextlib import suppress
from pathlib import Path

import pyarrow as pa
import pytest

from tre.base.clock import SystemClock
from tre.base.reasons import Refused
from tre.demo.identifiers import nhs_numbers as demonstration
from tre.pseudonyms import (
    Circle,
    Identifiers,
    IdentifierType,
    Scope,
    TokenColumn,
    Tokeniser,
    add_epoch,
    create_keyring,
    local_numbers,
    nhs_numbers,
)
from tre.pseudonyms.cipher import encrypt
from tre.pseudonyms.keyring import KEYRING, open_keyring
from tre.pseudonyms.keys import derive

NUMBERS = [*demonstration(0, 200), None, "943 476 5919", "9434765919", "0000000000"]


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    create_keyring(tmp_path, SystemClock())
    return tmp_path


@pytest.fixture
def tokeniser(keys: Path):
    with Tokeniser(keys) as found:
        yield found


@pytest.fixture
def people() -> Identifiers:
    return nhs_numbers(pa.array(NUMBERS, pa.string()))


def code(caught: pytest.ExceptionInfo[Refused]) -> str:
    return caught.value.refusals[0].reason.code


def test_tokens_are_the_blocks_under_the_key_of_the_data_set(keys, tokeniser, people):
    found = tokeniser.for_data_set("northfield", people)
    scope = Scope(Circle.DATA_SET, "northfield", IdentifierType.NHS_NUMBER, 1)
    key = derive(open_keyring(keys).secret(1), scope)
    assert (found.scope, found.key_id, len(found)) == (scope, key.key_id, len(NUMBERS))
    assert found.tokens.drop_null().to_pylist() == [bytes(token) for token in encrypt(key.key, people.blocks)]
    assert found.tokens.is_valid().to_pylist() == people.present.tolist()


def test_equal_identifiers_have_equal_tokens_and_no_others_have(tokeniser, people):
    tokens = tokeniser.for_project("asthma", tokeniser.for_data_set("northfield", people)).tokens.to_pylist()
    assert tokens[200] is None
    assert tokens[203] is None
    assert tokens[201] == tokens[202]
    assert len(set(tokens)) == 202
    assert all(len(token) == 16 for token in tokens if token)


def test_one_project_sees_one_person_in_two_data_sets_and_two_projects_never_do(tokeniser, people):
    north, south = (tokeniser.for_data_set(name, people) for name in ("northfield", "southfield"))
    one, same = (tokeniser.for_project("asthma", column) for column in (north, south))
    other = tokeniser.for_project("stroke", north)
    assert one.rows_in(same).to_pylist()[:3] == [0, 1, 2]
    assert one.tokens.equals(same.tokens)
    every = [set(column.tokens.drop_null().to_pylist()) for column in (north, south, one, other)]
    assert len(set.union(*every)) == sum(map(len, every))


def test_columns_under_different_keys_are_never_joined(keys, tokeniser, people):
    first = tokeniser.for_data_set("northfield", people)
    columns = [first, tokeniser.for_project("asthma", first), tokeniser.for_project("stroke", first)]
    columns.append(tokeniser.for_data_set("northfield", local_numbers(pa.array(NUMBERS, pa.string()))))
    add_epoch(keys, SystemClock())
    with Tokeniser(keys) as later:
        columns += [later.for_data_set("northfield", people), later.for_project("asthma", first)]
    for one in columns:
        for other in columns:
            if one is not other:
                for combine in (one.concat, one.rows_in):
                    with pytest.raises(Refused) as caught:
                        combine(other)
                    assert code(caught) == "pseudonyms.keys-differ"
        assert len(one.concat(one)) == 2 * len(one)


def test_a_keyring_made_anew_gives_keys_of_other_names(tmp_path, tokeniser, people):
    folder = tmp_path / "anew"
    folder.mkdir()
    create_keyring(folder, SystemClock())
    with Tokeniser(folder) as anew, pytest.raises(Refused) as caught:
        anew.for_data_set("northfield", people).concat(tokeniser.for_data_set("northfield", people))
    assert code(caught) == "pseudonyms.keys-differ"


def test_no_null_equals_a_null(tokeniser):
    absent = tokeniser.for_data_set("northfield", nhs_numbers(pa.array([None, "x"], pa.string())))
    assert absent.tokens.null_count == 2
    assert absent.rows_in(absent).to_pylist() == [None, None]


def test_a_side_table_of_an_older_epoch_is_still_re_encrypted_into_any_epoch(keys, tokeniser, people):
    old = tokeniser.for_data_set("northfield", people)
    then = tokeniser.for_project("asthma", old)
    assert add_epoch(keys, SystemClock()) == 2
    with Tokeniser(keys) as later:
        fresh = later.for_data_set("northfield", people)
        assert (old.scope.epoch, fresh.scope.epoch) == (1, 2)
        now = later.for_project("asthma", old)
        assert now.scope.epoch == 2
        assert now.tokens.equals(later.for_project("asthma", fresh).tokens)
        assert later.for_project("asthma", fresh, epoch=1).tokens.equals(then.tokens)
        with pytest.raises(Refused) as caught:
            later.for_project("asthma", fresh, epoch=3)
        assert code(caught) == "pseudonyms.epoch-unknown"


def test_tokens_of_another_key_are_not_re_encrypted_even_under_its_name(tokeniser, people):
    column = tokeniser.for_data_set("northfield", people)
    elsewhere = Scope(Circle.DATA_SET, "southfield", IdentifierType.NHS_NUMBER, 1)
    foreign = tokeniser.for_data_set("southfield", people)
    for wrong in (
        TokenColumn(elsewhere, column.key_id, column.tokens),
        TokenColumn(elsewhere, foreign.key_id, column.tokens),
        TokenColumn(column.scope, foreign.key_id, column.tokens),
    ):
        with pytest.raises(Refused) as caught:
            tokeniser.for_project("asthma", wrong)
        assert code(caught) == "pseudonyms.foreign"
    assert tokeniser.for_project("asthma", column)


def test_tokens_of_a_project_are_not_turned_into_those_of_another(tokeniser, people):
    asthma = tokeniser.for_project("asthma", tokeniser.for_data_set("northfield", people))
    with pytest.raises(ValueError, match="of a data set"):
        tokeniser.for_project("stroke", asthma)


def test_blocks_of_another_type_than_declared_have_no_tokens(tokeniser, people):
    with pytest.raises(Refused) as caught:
        tokeniser.for_data_set("n", Identifiers(IdentifierType.LOCAL_NUMBER, people.blocks, people.present))
    assert code(caught) == "pseudonyms.foreign"


def test_slices_of_a_side_table_are_re_encrypted_like_the_whole(tokeniser, people):
    column = tokeniser.for_data_set("northfield", people)
    whole = tokeniser.for_project("asthma", column)
    for start, stop in ((0, 3), (5, 200), (198, 204), (200, 201), (3, 3)):
        part = TokenColumn(column.scope, column.key_id, column.tokens[start:stop])
        assert tokeniser.for_project("asthma", part).tokens.equals(whole.tokens[start:stop])


def test_without_a_whole_keyring_there_is_no_process(keys):
    (keys / KEYRING).chmod(0o644)
    with pytest.raises(Refused) as caught:
        Tokeniser(keys)
    assert code(caught) == "pseudonyms.keyring-exposed"


def test_a_killed_process_gives_no_tokens_and_says_so(tokeniser, people):
    os.kill(tokeniser._process.pid, signal.SIGKILL)
    for _ in range(2):
        with pytest.raises(Refused) as caught:
            tokeniser.for_data_set("northfield", people)
        assert code(caught) == "pseudonyms.process-failed"


def test_the_process_inherits_no_secret_and_leaves_no_core(keys, monkeypatch):
    monkeypatch.setenv("TRE_TOKEN", "a bearer token")
    with Tokeniser(keys) as tokeniser:
        process = Path("/proc") / str(tokeniser._process.pid)
        assert re.search(r"Max core file size +0 +0 ", (process / "limits").read_text())
        with suppress(PermissionError):  # only root may look
            assert b"bearer" not in (process / "environ").read_bytes()


def test_nothing_private_is_shown(tokeniser, people):
    column = tokeniser.for_data_set("northfield", people)
    assert str(column.tokens[0].as_py()) not in repr(column)
    assert "9434765919" not in repr(column) + repr(people)
