"""How the manual is built: MyST pages, the reference from code, the page of reasons from the catalogue of reasons."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "TRE"
author = "the TRE authors"
copyright = "2026, the TRE authors"  # noqa: A001 - Sphinx's own name
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "generated"]
myst_enable_extensions = ["colon_fence", "deflist", "fieldlist"]
myst_heading_anchors = 3
smartquotes = False  # quotes in SQL stay as they are typed
html_theme = "furo"
html_title = "Trusted research environment"
exclude_patterns = ["_build", "_ext"]
autodoc_typehints = "description"
autodoc_member_order = "bysource"
nitpicky = False
