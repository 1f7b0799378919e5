"""What an entry says of an answer: equal for equal answers alone, and nothing without the salt."""

import json
from hashlib import sha256

import pytest

from audit import result_commitment

ROWS: list[list[object]] = [["F", 5021, {"marker": "suppressed"}], ["M", None, "12.50"]]


def test_a_commitment_is_over_salt_names_and_cells() -> None:
    text = '5a{"columns":["sex","n","cost"],"rows":[["F",5021,{"marker":"suppressed"}],["M",null,"12.50"]]}'
    assert result_commitment("5a", ["sex", "n", "cost"], ROWS) == sha256(text.encode()).hexdigest()


@pytest.mark.parametrize("cell", [0, None, "5021", 5021.0, 5022, True])
def test_another_cell_is_another_commitment(cell: object) -> None:
    edited = [["F", cell, {"marker": "suppressed"}], ["M", None, "12.50"]]
    assert result_commitment("5a", ["sex", "n", "cost"], edited) != result_commitment("5a", ["sex", "n", "cost"], ROWS)


def test_another_salt_or_name_is_another_commitment_and_json_read_again_the_same() -> None:
    one = result_commitment("5a", ["sex", "n", "cost"], ROWS)
    assert result_commitment("5b", ["sex", "n", "cost"], ROWS) != one
    assert result_commitment("5a", ["sex", "cost", "n"], ROWS) != one
    assert result_commitment("5a", ["sex", "n", "cost"], json.loads(json.dumps(ROWS))) == one
