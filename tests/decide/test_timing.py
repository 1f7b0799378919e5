"""The two times of an answer are functions of declared sizes alone."""

from fractions import Fraction
from types import MappingProxyType

from hypothesis import given
from hypothesis import strategies as st

from tre.catalogue import Access, Catalogue, Table
from tre.decide.timing import timing


def catalogue(private: int, public: int) -> Catalogue:
    tables = {
        "person": Table("person", Access.PRIVATE, {}, magnitude=private),
        "concept": Table("concept", Access.PUBLIC, {}, public_rows=public),
    }
    return Catalogue("d", "person", "person_id", private, MappingProxyType(tables))


@given(st.integers(0, 10**10), st.integers(0, 10**7), st.sampled_from([Fraction(1, 4), Fraction(1), Fraction(1, 10)]))
def test_the_release_time_lies_on_the_grid_and_before_the_limit(private, public, grid):
    found = timing(["person", "concept"], catalogue(private, public), grid)
    assert found.release % grid == 0
    assert 0 < found.release <= found.limit


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_larger_declared_sizes_never_leave_earlier(one, more):
    grid = Fraction(1, 4)
    small = timing(["person"], catalogue(one, 0), grid)
    large = timing(["person"], catalogue(one + more, 0), grid)
    assert small.release <= large.release
    assert small.limit <= large.limit


def test_more_to_search_for_never_leaves_earlier():
    grid = Fraction(1, 4)
    few, many = (timing(["person"], catalogue(10**6, 0), grid, searched) for searched in (100, 2**17))
    assert few.release == timing(["person"], catalogue(10**6, 0), grid).release
    assert few.release + 5 < many.release
    assert many.release <= many.limit


def test_a_table_that_is_read_again_takes_its_time_again():
    """Each grouping set is a run of its own: an answer that is not ready by its time is an incident."""
    grid = Fraction(1, 4)
    once, thrice = (timing(["person"] * runs, catalogue(10**7, 0), grid).release for runs in (1, 3))
    assert once + 5 < thrice


def test_more_rows_of_one_person_never_leave_earlier():
    grid = Fraction(1, 4)
    few, many = (timing(["person"], catalogue(10**6, 0), grid, of_one=rows) for rows in (10**3, 10**8))
    assert few.release == timing(["person"], catalogue(10**6, 0), grid).release
    assert few.release + 5 < many.release <= many.limit


def test_without_a_grid_an_answer_leaves_when_it_is_ready():
    assert timing(["person"], catalogue(10**6, 0), Fraction(0)).release == 0
