"""Reading: forms that many people write for want of a better one, turned into what they mean before they are bound."""

from tre.sql.reading.ranked import plainly
from tre.sql.reading.spread import SPREAD, joined_back

__all__ = ["SPREAD", "joined_back", "plainly"]
