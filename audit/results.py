"""The commitment to a result: an entry says which answer left, and tells nothing of it.

SHA-256 over the salt (its hex digits) and the answer as JSON: `{"columns":[name,…],"rows":[[cell,…],…]}`, names sorted,
no blanks, ASCII; cells as the answer's JSON has them. The salt is given with the answer alone, so that whoever has
both can prove what was answered, and nobody else can try answers out.
"""

import hashlib
import json
from collections.abc import Sequence


def result_commitment(salt: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return the commitment, 64 hex digits. Raises TypeError for a cell that JSON cannot hold."""
    answer = {"columns": list(columns), "rows": [list(row) for row in rows]}
    text = json.dumps(answer, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256((salt + text).encode()).hexdigest()
