"""The REST surface: a contract layer over strict models, and a protocol for the flows behind it."""

from tre.web.app import WebSettings, create_app
from tre.web.service import QueryRequest, Service

__all__ = ["QueryRequest", "Service", "WebSettings", "create_app"]
