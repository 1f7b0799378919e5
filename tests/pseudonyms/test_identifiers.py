"""What is an NHS number, and that a block says which identifier it holds."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tre.demo.identifiers import nhs_numbers as demonstration
from tre.pseudonyms import IdentifierType, local_numbers, nhs_numbers
from tre.pseudonyms.blocks import LONGEST, well_formed

EXAMPLE = "9434765919"  # NHS Data Dictionary and NHS login documentation: 943 476 5919

DIGITS = st.text("0123456789", min_size=10, max_size=10)
ALMOST = st.text("0123456789 -٣９\x00/:", max_size=14)


def spaced(number: str) -> str:
    return f"{number[:3]} {number[3:6]} {number[6:]}"


def is_nhs_number(text: str) -> bool:
    """The rule of the NHS Data Dictionary, one value at a time and in its own words."""
    if len(text) == 12 and text[3] == text[7] == " ":
        text = text[:3] + text[4:7] + text[8:]
    if len(text) != 10 or not set(text) <= set("0123456789") or len(set(text)) == 1:
        return False
    remainder = sum(int(digit) * weight for digit, weight in zip(text, range(10, 1, -1), strict=False)) % 11
    check = 11 - remainder
    return check != 10 and int(text[9]) == (0 if check == 11 else check)


def present(*texts: str | None) -> list[bool]:
    return nhs_numbers(pa.array(texts, pa.string())).present.tolist()


def test_an_nhs_number_is_taken_plain_and_3_3_4_and_is_the_same_one():
    found = nhs_numbers(pa.array([EXAMPLE, "943 476 5919"]))
    assert found.present.all()
    assert (found.blocks[0] == found.blocks[1]).all()
    assert found.blocks[0].tobytes() == b"\x01\x0a" + EXAMPLE.encode() + bytes(4)


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "9434765918",  # check digit
        "943-476-5919",
        "943  4765919",
        " 9434765919",
        "9434765919 ",
        "94 3476 5919",
        "943\u00a0476 5919",
        "943476591９",
        "943476591",
        "94347659190",
        "943476591A",
        "-434765919",
    ],
)
def test_nothing_else_is_an_nhs_number(text):
    assert present(text, EXAMPLE) == [False, True]


@pytest.mark.parametrize("digit", "0123456789")
def test_ten_times_the_same_digit_is_none_though_its_checksum_is_right(digit):
    assert present(digit * 10, spaced(digit * 10)) == [False, False]


@given(st.lists(st.one_of(st.none(), DIGITS, DIGITS.map(spaced), ALMOST, st.text(max_size=13)), max_size=40))
def test_a_column_is_judged_as_each_of_its_values_is(texts):
    assert present(*texts) == [text is not None and is_nhs_number(text) for text in texts]


def test_every_check_digit_is_judged_right_and_nine_of_a_hundred_pass():
    numbers = [f"{stem:09d}{check}" for stem in range(123_450_000, 123_451_000) for check in range(10)]
    found = present(*numbers)
    assert found == [is_nhs_number(number) for number in numbers]
    assert sum(found) / len(found) == pytest.approx(1 / 11, rel=0.01)


def test_the_numbers_of_the_demonstration_are_valid():
    numbers = demonstration(0, 5000)
    found = nhs_numbers(pa.array(numbers))
    assert found.present.all()
    assert found.blocks[:, 2:12].tobytes().decode() == "".join(numbers)


@pytest.mark.parametrize("read", [nhs_numbers, local_numbers])
def test_slices_chunks_and_long_offsets_are_one_column(read):
    texts = ["x", EXAMPLE, None, spaced(EXAMPLE), "9434765918", EXAMPLE]
    whole = pa.array(texts)
    chunked = pa.chunked_array([whole[1:3], whole[3:]])
    for column in (whole[1:], chunked, whole[1:].cast(pa.large_string()), pa.array(texts[1:]).dictionary_encode()):
        again = read(column)
        assert again.present.tolist() == read(pa.array(texts[1:])).present.tolist()
        assert (again.blocks == read(pa.array(texts[1:])).blocks).all()


@pytest.mark.parametrize("read", [nhs_numbers, local_numbers])
def test_a_slice_of_good_identifiers_does_not_begin_with_what_stood_before_it(read):
    column = pa.array([spaced(EXAMPLE), "9434765919", "9990000018"], pa.large_string())[1:]
    assert [bytes(block)[2:12] for block in read(column).blocks] == [b"9434765919", b"9990000018"]


@pytest.mark.parametrize("read", [nhs_numbers, local_numbers])
def test_an_empty_column_and_one_of_nulls_hold_no_identifiers(read):
    for column in (pa.array([], pa.string()), pa.chunked_array([], pa.string()), pa.array([None, None], pa.string())):
        found = read(column)
        assert found.blocks.shape == (0, 16)
        assert found.present.tolist() == [False] * len(column)


@given(st.lists(st.one_of(st.none(), st.text(max_size=16)), max_size=30))
def test_different_local_numbers_are_different_blocks_and_too_long_ones_none(texts):
    found = local_numbers(pa.array(texts, pa.string()))
    kept = [text for text in texts if text is not None and 1 <= len(text.encode()) <= LONGEST]
    assert found.present.sum() == len(kept)
    blocks = [bytes(block) for block in found.blocks]
    assert [block[2 : 2 + block[1]].decode() for block in blocks] == kept
    assert len(set(blocks)) == len(set(kept))
    assert well_formed(found.blocks, IdentifierType.LOCAL_NUMBER)


def test_identifiers_of_two_types_are_never_one_block():
    one, two = nhs_numbers(pa.array([EXAMPLE])), local_numbers(pa.array([EXAMPLE]))
    assert (one.blocks != two.blocks).any()
    assert not well_formed(one.blocks, IdentifierType.LOCAL_NUMBER)
    assert not well_formed(two.blocks, IdentifierType.NHS_NUMBER)


@pytest.mark.parametrize(("place", "value"), [(0, 2), (1, 9), (1, 11), (1, 15), (1, 255), (12, 1), (15, 1)])
def test_what_is_no_block_is_known_by_its_form(place, value):
    blocks = nhs_numbers(pa.array([EXAMPLE] * 3)).blocks.copy()
    assert well_formed(blocks, IdentifierType.NHS_NUMBER)
    blocks[1, place] = value
    assert not well_formed(blocks, IdentifierType.NHS_NUMBER)


def test_random_bytes_are_no_nhs_number():
    noise = np.frombuffer(np.random.default_rng(1).bytes(16 * 100_000), dtype=np.uint8).reshape(-1, 16)
    assert not any(well_formed(noise[row : row + 1], IdentifierType.NHS_NUMBER) for row in range(20_000))


def test_identifiers_are_not_shown():
    assert EXAMPLE not in repr(nhs_numbers(pa.array([EXAMPLE])))
