"""What a project did, as an RO-Crate: its entries with a receipt for each, and how to verify them without the house.

RO-Crate 1.1 (https://w3id.org/ro/crate/1.1), with terms of the Five Safes RO-Crate 0.4 (https://w3id.org/5s-crate/0.4)
where they fit: the project is the `sourceOrganization`, a decision is an AssessAction of the type SignOff, an answer a
CreateAction that its agent asked for. Conformance to that profile is not claimed: it is of workflows that are run, and
here is none.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from audit.entries import Event
from tre.base.clock import stamp
from tre.journal.exports import json_lines
from tre.journal.search import Hit

_SIGN_OFF = "https://w3id.org/shp#SignOff"
_STATUS = {"committed": "CompletedActionStatus", "burned": "FailedActionStatus", "voided": "FailedActionStatus"}

README = """# What the project {project} did in {origin}

`entries.jsonl` has each entry of the audit log that names the project, one a line, with its index in the log. They hold
ids, codes and digests: no result, no patient, nothing that was typed. `receipts/` proves for each of them that it
stands in the log, at that index, under a head that the log's key signed. `checkpoint` is the newest head.

Verify with the log's public key. `log.vkey` is a copy of it: compare it with one that you got by another way.

    python -m audit receipt receipts/* --key log.vkey --entries entries.jsonl

`audit` is a folder of this project's source that needs Python and the package `cryptography`. The exit code is 0 when
all is proved, 5 when not. That no entry is missing from this crate is shown by the log as a whole, to those who may
read it: `python -m audit verify`. That the log of today continues this one is shown to everyone:

    python -m audit verify --log https://…/api/v1/log --key log.vkey --since checkpoint
"""


@dataclass(frozen=True, slots=True)
class Proofs:
    """Where a crate's proofs are from: the log's name and key, its newest head, and a receipt for an index."""

    origin: str
    key: str
    checkpoint: Callable[[], str]
    receipt: Callable[[int], str]


def crate_files(project: str, hits: Iterable[Hit], proofs: Proofs, at: datetime) -> Iterator[tuple[str, bytes]]:
    """Yield a crate's files, piece by piece: pieces of one name follow each other and are one file.

    :param at: when the crate is made.
    """
    story = _Story(project, proofs.origin)
    for hit in hits:
        story.take(hit)
        yield "entries.jsonl", b"".join(json_lines([hit]))
    if not story.indexes:
        yield "entries.jsonl", b""
    for index in story.indexes:
        yield f"receipts/{index}.tlog-proof", proofs.receipt(index).encode()
    yield "checkpoint", proofs.checkpoint().encode()
    yield "log.vkey", f"{proofs.key}\n".encode()
    yield "README.md", README.format(project=project, origin=proofs.origin).encode()
    yield "ro-crate-metadata.json", json.dumps(story.metadata(at), indent=1).encode()


@dataclass
class _Story:
    """What the metadata say of the entries: people, data sets, decisions, answers."""

    project: str
    origin: str
    indexes: list[int] = field(default_factory=list)
    people: set[str] = field(default_factory=set)
    datasets: set[str] = field(default_factory=set)
    actions: dict[str, dict[str, Any]] = field(default_factory=dict)
    span: tuple[str, str] | None = None

    def take(self, hit: Hit) -> None:
        fields = hit.fields
        self.indexes.append(hit.index)
        self.people.add(fields["actor"])
        self.span = (min(self.span[0], fields["time"]), fields["time"]) if self.span else (fields["time"],) * 2
        if "dataset" in fields:
            self.datasets.add(fields["dataset"])
        match fields["event"]:
            case Event.QUERY_DECISION:
                self._decided(fields, allowed=fields["decision"] == "allowed")
            case Event.QUERY_INTENT:
                self._decided(fields, allowed=True)
                self._add("query", fields, "CreateAction", "PotentialActionStatus", startTime=fields["time"])
            case Event.QUERY_OUTCOME if (asked := self.actions.get(f"#query-{fields['request']}")) is not None:
                asked["actionStatus"] = f"http://schema.org/{_STATUS[fields['state']]}"
                asked["endTime"] = fields["time"]

    def _decided(self, fields: dict[str, Any], *, allowed: bool) -> None:
        more: dict[str, Any] = {"additionalType": {"@id": _SIGN_OFF}, "endTime": fields["time"]}
        if "policy_digest" in fields:
            more["instrument"] = {"@id": f"#policy-{fields['policy_digest']}"}
        status = "CompletedActionStatus" if allowed else "FailedActionStatus"
        self._add("decision", fields, "AssessAction", status, **more)
        self.actions[f"#decision-{fields['request']}"]["agent"] = {"@id": "#tre"}

    def _add(self, kind: str, fields: dict[str, Any], of: str, status: str, **more: Any) -> None:
        name = f"#{kind}-{fields['request']}"
        action = {
            "@id": name,
            "@type": of,
            "name": f"{kind} {fields['request']}",
            "agent": {"@id": f"#person-{fields['actor']}"},
            "actionStatus": f"http://schema.org/{status}",
        }
        if "dataset" in fields:
            action["object"] = {"@id": f"#dataset-{fields['dataset']}"}
        self.actions[name] = action | more

    def metadata(self, at: datetime) -> dict[str, Any]:
        """Return the crate's `ro-crate-metadata.json`."""
        policies = {one["instrument"]["@id"] for one in self.actions.values() if "instrument" in one}
        me = {"@id": f"#project-{self.project}"}
        return {
            "@context": "https://w3id.org/ro/crate/1.1/context",
            "@graph": [
                {
                    "@id": "ro-crate-metadata.json",
                    "@type": "CreativeWork",
                    "conformsTo": {"@id": "https://w3id.org/ro/crate/1.1"},
                    "about": {"@id": "./"},
                },
                self._root(at),
                *_files(),
                _thing("#project-", self.project, "Project"),
                {"@id": "#tre", "@type": "Organization", "name": self.origin},
                {
                    "@id": "#terms",
                    "@type": "CreativeWork",
                    "name": "For those who may read the audit log; no open data",
                },
                {"@id": _SIGN_OFF, "@type": "DefinedTerm", "name": "Sign-off"},
                *({**_thing("#person-", one, "Person"), "memberOf": me} for one in sorted(self.people)),
                *(_thing("#dataset-", one, "Dataset") for one in sorted(self.datasets)),
                *({"@id": one, "@type": "CreativeWork", "name": one[1:]} for one in sorted(policies)),
                *self.actions.values(),
            ],
        }

    def _root(self, at: datetime) -> dict[str, Any]:
        said = f"{len(self.indexes)} entries of the audit log {self.origin} that name the project"
        root = {
            "@id": "./",
            "@type": "Dataset",
            "name": f"Audit of the project {self.project}",
            "description": f"{said}, each with a receipt.",
            "datePublished": stamp(at),
            "license": {"@id": "#terms"},
            "publisher": {"@id": "#tre"},
            "sourceOrganization": {"@id": f"#project-{self.project}"},
            "hasPart": [{"@id": one["@id"]} for one in _files()],
            "mentions": [{"@id": name} for name in self.actions],
        }
        return root if self.span is None else root | {"temporalCoverage": "/".join(self.span)}


def _thing(kind: str, name: str, of: str) -> dict[str, Any]:
    return {"@id": f"{kind}{name}", "@type": of, "name": name, "identifier": name}


def _files() -> tuple[dict[str, Any], ...]:
    return (
        _file("entries.jsonl", "The entries, one a line, with their index", "application/jsonl"),
        {"@id": "receipts/", "@type": "Dataset", "name": "A receipt for each entry (C2SP tlog-proof)"},
        _file("checkpoint", "The log's newest signed head (C2SP tlog-checkpoint)", "text/plain"),
        _file("log.vkey", "The log's public key (C2SP signed-note)", "text/plain"),
        _file("README.md", "How to verify", "text/markdown"),
    )


def _file(name: str, text: str, media: str) -> dict[str, Any]:
    return {"@id": name, "@type": "File", "name": text, "encodingFormat": media}
