"""Entries as a running environment writes them, for the tests of the log."""

from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

from audit import Ed25519Signer, Log, create_log, encode_entry
from audit.files import OsFiles
from audit.records import scan

ORIGIN = "audit.example.org/tre"
SIGNER = Ed25519Signer(ORIGIN, b"\x07" * 32)
LEDGERS = ("project:heart", "dataset:omop")


class Story:
    """A deterministic history: each method returns the next entry's fields and moves the ledgers."""

    def __init__(self, seed: int = 1) -> None:
        self.random = Random(seed)
        self.index = 0
        self.seconds = 0
        self.seq = dict.fromkeys(LEDGERS, 0)
        self.total = dict.fromkeys(LEDGERS, 0)

    def hex(self, count: int) -> str:
        return self.random.randbytes(count).hex()

    def fields(self, event: str, **more: Any) -> dict[str, Any]:
        self.index += 1
        self.seconds += 1
        minutes, second = divmod(self.seconds, 60)
        hours, minute = divmod(minutes, 60)
        day, hour = divmod(hours, 24)
        time = f"2026-{1 + day // 28:02d}-{1 + day % 28:02d}T{hour:02d}:{minute:02d}:{second:02d}Z"
        return {"event_id": self.hex(16), "event": event, "time": time, "actor": "p_ann", **more}

    def move(self, amount: int) -> list[dict[str, Any]]:
        return [self._move(ledger, amount) for ledger in LEDGERS]

    def _move(self, ledger: str, amount: int) -> dict[str, Any]:
        before = self.total[ledger]
        self.seq[ledger] += 1
        self.total[ledger] = before + amount
        return {
            "ledger": ledger,
            "ledger_seq": self.seq[ledger],
            "measure": "zcdp",
            "before": {"amount": str(before), "delta": "0"},
            "after": {"amount": str(before + amount), "delta": "0"},
        }

    def signin(self) -> dict[str, Any]:
        return self.fields("signin-failed", count=3)

    def denied(self) -> dict[str, Any]:
        gates = [{"gate": "data", "verdict": "deny", "reasons": ["data.table_unknown"]}]
        return self.fields(
            "query-decision", project="heart", request=f"q_{self.hex(16)}", decision="denied", gates=gates
        )

    def intent(self, amount: int = 500_000) -> dict[str, Any]:
        return self.fields(
            "query-intent",
            project="heart",
            purpose=["DUO:0000006"],
            request=f"q_{self.hex(16)}",
            dataset="omop",
            version=f"v_{self.hex(16)}",
            tables=["condition_occurrence", "person"],
            columns=["condition_occurrence.condition_concept_id", "person.year_of_birth"],
            policy_digest="ab" * 32,
            gates=[{"gate": name, "verdict": "allow", "reasons": []} for name in ("people", "projects", "data")],
            measure="zcdp",
            cost={"amount": str(amount), "delta": "0"},
            query_digest=self.hex(32),
            ledgers=self.move(amount),
        )

    def outcome(self, intent: dict[str, Any], index: int, state: str = "committed") -> dict[str, Any]:
        more: dict[str, Any] = {"result_commitment": self.hex(32)} if state == "committed" else {}
        if state == "voided":
            more["ledgers"] = self.move(-int(intent["cost"]["amount"]))
        answers = {"event_id": intent["event_id"], "index": index}
        return self.fields(
            "query-outcome", project="heart", request=intent["request"], answers=answers, state=state, **more
        )


def story(count: int, seed: int = 1) -> Iterator[bytes]:
    """`count` entries that verify: sign-ins, refusals, requests with their outcomes."""
    told = Story(seed)
    while told.index < count:
        kind = told.random.randrange(8)
        if kind == 0 or told.index == count - 1:
            yield encode_entry(told.signin())
        elif kind == 1:
            yield encode_entry(told.denied())
        else:
            intent = told.intent()
            yield encode_entry(intent)
            state = {2: "burned", 3: "voided"}.get(kind, "committed")
            yield encode_entry(told.outcome(intent, told.index - 1, state))


def new_log(home: Path, **more: Any) -> Log:
    """A new log in `home`, as the project lays it out."""
    home.mkdir(exist_ok=True)
    create_log(home / "log", home / "head", SIGNER, **more)
    return open_log(home, **more)


def open_log(home: Path, **more: Any) -> Log:
    return Log(home / "log", home / "head", SIGNER, **more)


def whole_records(home: Path) -> bytes:
    """The bytes of the record file up to the end of its last record."""
    path = home / "log" / "records"
    *_, last = scan(OsFiles().open(path, "read"))
    return path.read_bytes()[: last.end]
