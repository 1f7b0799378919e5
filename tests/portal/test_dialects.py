"""What the portal offers to write in is what the house reads."""

from tre.sql.parse import DIALECTS
from tre.web.portal import words


def test_every_dialect_that_is_read_can_be_chosen_the_usual_one_first() -> None:
    assert set(words.DIALECTS) == set(DIALECTS)
    assert next(iter(words.DIALECTS)) == DIALECTS[0] == "postgres"
