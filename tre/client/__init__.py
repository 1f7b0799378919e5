"""Ask a trusted research environment: `c = connect(url, token=…, project=…)`, `c.check(sql)`, `c.query(sql)`."""

from tre.client.charts import Chart
from tre.client.connection import Connection, connect
from tre.client.decisions import Decision, Price
from tre.client.errors import (
    Reason,
    TreBudget,
    TreError,
    TreRateLimited,
    TreRefused,
    TreUnauthorised,
    TreUnproven,
    TreUnreachable,
)
from tre.client.explaining import Explanation
from tre.client.listings import Account, Budget, Dataset, DatasetSummary, DictionaryColumn, Listing, Loss, Project, Size
from tre.client.queries import History, Query
from tre.client.receipts import Proof, Receipt
from tre.client.results import Column, Result, Sharper, load
from tre.client.values import SUPPRESSED, Suppressed

__all__ = [
    "SUPPRESSED",
    "Account",
    "Budget",
    "Chart",
    "Column",
    "Connection",
    "Dataset",
    "DatasetSummary",
    "Decision",
    "DictionaryColumn",
    "Explanation",
    "History",
    "Listing",
    "Loss",
    "Price",
    "Project",
    "Proof",
    "Query",
    "Reason",
    "Receipt",
    "Result",
    "Sharper",
    "Size",
    "Suppressed",
    "TreBudget",
    "TreError",
    "TreRateLimited",
    "TreRefused",
    "TreUnauthorised",
    "TreUnproven",
    "TreUnreachable",
    "connect",
    "load",
]


def load_ipython_extension(shell: object) -> None:
    """Add the `%%tre` magic to IPython: `%load_ext tre.client`."""
    from tre.client.magic import register

    register(shell)
