"""The JSON Schema of policy documents, for editors: generated from the models, committed beside the documents.

Run `python -m tre.policy.schema` after a change of the models; a test holds the committed file to them.
"""

from __future__ import annotations

import json
from pathlib import Path

from tre.policy.model import Policy
from tre.policy.shipped import policies_folder

NAME = "policy.schema.json"


def policy_schema() -> str:
    """Return the schema (JSON Schema 2020-12) as it stands in the file."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Policy.model_json_schema(by_alias=True),
        "title": "A policy document",
    }
    return json.dumps(schema, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def main(folder: Path) -> None:
    """Write the schema into `folder`."""
    (folder / NAME).write_text(policy_schema(), encoding="utf-8")


if __name__ == "__main__":
    main(policies_folder())
