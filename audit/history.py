"""What the entries must add up to: unique events, answered requests, ledgers that chain.

Pure: fed with entries in the log's order, it keeps the state that they describe and a list of what is wrong.

Requests. A `query-intent` opens a request; exactly one `query-outcome` answers it. An intent without an outcome
is *pending*, and a problem only when the log has gone on for longer than the grace period after it: until then
the request may be queued or running. A `release` answers a committed outcome or an allowed decision.

Ledgers. Each movement's `ledger_seq` follows the one before by one, from 1; its `before` is the last `after`, and
zero at first. An intent never lowers a total; a committed or burned outcome leaves it; a voided one takes back
exactly what its intent reserved.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from audit.entries import Event, MalformedError, decode_entry
from audit.report import MAX_PROBLEMS, Section

GRACE = timedelta(hours=24)
SKEW = timedelta(minutes=5)
"""How much older than one before it an entry is without remark: what is counted by the minute is written later."""


class Total(NamedTuple):
    """A budget total: nano-rho or nano-epsilon, and delta in 10⁻¹⁸."""

    amount: int
    delta: int

    def plus(self, other: "Total") -> "Total":
        return Total(self.amount + other.amount, self.delta + other.delta)

    def minus(self, other: "Total") -> "Total":
        return Total(self.amount - other.amount, self.delta - other.delta)

    @classmethod
    def read(cls, amounts: Mapping[str, str]) -> "Total":
        return cls(int(amounts["amount"]), int(amounts["delta"]))


ZERO = Total(0, 0)


@dataclass
class LedgerState:
    """A ledger as the log tells it: `total` is spent and reserved together, `reserved` what is still open."""

    measure: str
    seq: int = 0
    total: Total = ZERO
    reserved: Total = ZERO

    @property
    def spent(self) -> Total:
        """What is committed or burned."""
        return self.total.minus(self.reserved)


@dataclass(frozen=True, slots=True)
class _Intent:
    index: int
    time: datetime
    request: str
    project: str
    reserved: dict[str, Total]


# What an entry may be answered by, one byte each.
_OTHER, _ANSWER = 0, 1


class History:
    """The state that the entries describe so far. `ledgers` maps a ledger's id to its state."""

    def __init__(self) -> None:
        self.entries = Section("every entry is well-formed")
        self.events = Section("every event is in the log once")
        self.requests = Section("every answered request has its intent and its outcome")
        self.movements = Section("the ledgers' movements chain without a gap")
        self.ledgers: dict[str, LedgerState] = {}
        self._seen: set[int] = set()
        self._ids = bytearray()
        self._kinds = bytearray()
        self._pending: dict[str, _Intent] = {}
        self._newest = datetime.min.replace(tzinfo=UTC)
        self._put_back: list[int] = []

    def feed(self, entry: bytes) -> None:
        """Take the next entry."""
        index = self.entries.count
        self.entries.count += 1
        try:
            fields = decode_entry(entry)
        except MalformedError as error:
            self.entries.problem(f"entry {index}: {error}")
            self._ids += bytes(16)
            self._kinds.append(_OTHER)
            return
        self._take_id(index, fields["event_id"])
        time = datetime.fromisoformat(fields["time"])
        if self._newest - time > SKEW:
            self._put_back.append(index)
            # From here on time is counted afresh: an intent that follows is not late by a clock that was wrong before.
            self._newest = time
        self._newest = max(self._newest, time)
        moved = self._move(index, fields.get("ledgers", ()))
        self._kinds.append(self._request(index, time, fields, moved))

    def finish(self, grace: timedelta = GRACE) -> None:
        """Judge what is still open at the end of the log, and say where its clock went back."""
        for index in self._put_back[:MAX_PROBLEMS]:
            self.entries.notes.append(f"the clock was put back before entry {index}; the order is that of the log")
        late = [one for one in self._pending.values() if self._newest - one.time > grace]
        for intent in late:
            self.requests.problem(f"entry {intent.index}: intent without an outcome, though the log went on")
        if waiting := len(self._pending) - len(late):
            self.requests.notes.append(f"{waiting} pending at the end of the log")

    def _take_id(self, index: int, event_id: str) -> None:
        number = int(event_id, 16)
        self.events.count += 1
        if number in self._seen:
            self.events.problem(f"entry {index}: its event is in the log twice")
        self._seen.add(number)
        self._ids += number.to_bytes(16, "big")

    def _move(self, index: int, movements: list[dict[str, Any]]) -> dict[str, Total]:
        """Follow each movement; return by how much each ledger's total rose."""
        moved: dict[str, Total] = {}
        for movement in movements:
            name, before, after = movement["ledger"], Total.read(movement["before"]), Total.read(movement["after"])
            state = self.ledgers.setdefault(name, LedgerState(movement["measure"]))
            self.movements.count += 1
            if name in moved:
                self.movements.problem(f"entry {index}: moves ledger {name} twice")
            if movement["measure"] != state.measure:
                self.movements.problem(f"entry {index}: ledger {name} changes its measure")
            if movement["ledger_seq"] != state.seq + 1:
                self.movements.problem(
                    f"entry {index}: ledger {name} goes from movement {state.seq} to {movement['ledger_seq']}"
                )
            if before != state.total:
                self.movements.problem(f"entry {index}: ledger {name} does not begin where it ended before")
            state.seq, state.total = movement["ledger_seq"], after
            moved[name] = moved.get(name, ZERO).plus(after.minus(before))
        return moved

    def _request(self, index: int, time: datetime, fields: dict[str, Any], moved: dict[str, Total]) -> int:
        match fields["event"]:
            case Event.QUERY_OUTCOME:
                self._outcome(index, fields, moved)
                return _ANSWER if fields["state"] == "committed" else _OTHER
            case Event.QUERY_INTENT:
                self._not_lowered(index, moved)
                self._intent(index, time, fields, moved)
            case Event.QUERY_DECISION:
                return _ANSWER if fields["decision"] == "allowed" else _OTHER
            case Event.RELEASE:
                self._release(index, fields["answers"])
            case _:
                self._not_lowered(index, moved)
        return _OTHER

    def _intent(self, index: int, time: datetime, fields: dict[str, Any], moved: dict[str, Total]) -> None:
        if fields.get("decision") == "denied" or any(gate["verdict"] != "allow" for gate in fields["gates"]):
            self.requests.problem(f"entry {index}: intent of a request that was denied")
        self._pending[fields["event_id"]] = _Intent(index, time, fields["request"], fields["project"], moved)
        for name, amount in moved.items():
            self.ledgers[name].reserved = self.ledgers[name].reserved.plus(amount)

    def _not_lowered(self, index: int, moved: dict[str, Total]) -> None:
        for name, amount in moved.items():
            if min(amount) < 0:
                self.movements.problem(f"entry {index}: ledger {name} is lowered by something else than a voiding")

    def _outcome(self, index: int, fields: dict[str, Any], moved: dict[str, Total]) -> None:
        self.requests.count += 1
        answered = fields["answers"]
        intent = self._pending.pop(answered["event_id"], None)
        if intent is None:
            self.requests.problem(f"entry {index}: outcome that answers no open intent")
            return
        if answered.get("index", intent.index) != intent.index:
            self.requests.problem(f"entry {index}: outcome that names its intent at another index")
        if (fields["request"], fields["project"]) != (intent.request, intent.project):
            self.requests.problem(f"entry {index}: outcome of another request than its intent's")
        for name, amount in intent.reserved.items():
            self.ledgers[name].reserved = self.ledgers[name].reserved.minus(amount)
        voided = fields["state"] == "voided"
        due = {name: ZERO.minus(amount) for name, amount in intent.reserved.items() if voided and any(amount)}
        if {name: amount for name, amount in moved.items() if any(amount)} != due:
            self.movements.problem(f"entry {index}: a {fields['state']} request moves the ledgers by another amount")

    def _release(self, index: int, answered: dict[str, Any]) -> None:
        target = answered.get("index", -1)
        known = 0 <= target < index and self._ids[16 * target : 16 * target + 16].hex() == answered["event_id"]
        if not known or self._kinds[target] != _ANSWER:
            self.requests.problem(f"entry {index}: release that answers no committed outcome or allowed decision")
