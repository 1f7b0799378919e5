"""The page on which people read the operations of the REST surface and try them: Swagger UI, as it is shipped."""

from tre.web.docs.page import DOCS, add_docs

__all__ = ["DOCS", "add_docs"]
