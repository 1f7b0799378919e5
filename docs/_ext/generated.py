"""The pages of the reference that are generated from code each time the manual is built."""

from collections.abc import Callable, Mapping
from pathlib import Path

import admitted
import commands
import entries
import functions
import operations
import policy_words
import reasons
from sphinx.application import Sphinx

PAGES: Mapping[str, Callable[[], str]] = {
    "admitted": admitted.page,
    "commands": commands.page,
    "functions": functions.page,
    "log-entries": entries.page,
    "policy-document": policy_words.page,
    "refusals": reasons.page,
    "rest": operations.page,
}
"""Page by name under `reference/`; `reference/.gitignore` lists the same names."""


def write(app: Sphinx) -> None:
    """Write each page beside its neighbours before the sources are read; leave what has not changed."""
    for name, page in PAGES.items():
        target, text = Path(app.srcdir) / "reference" / f"{name}.md", page()
        if not target.exists() or target.read_text(encoding="utf-8") != text:
            target.write_text(text, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.connect("builder-inited", write)
    return {"parallel_read_safe": True}
