"""The page of the audit log's entries, from the two tables that are the whole format."""

import inspect
import re

from audit import entries
from tre.journal.entries import AWAITED

HEAD = """# Log entries

An entry is canonical JSON: ASCII keys in order, strings and whole numbers only, at most 65,535 bytes. It holds facts
and commitments: no result, no identifier of a patient, no free text. An unknown event or field makes an entry
malformed. How entries are bound together is in [the guide for board members](../howto/audit-log.md).
"""
LIST = re.compile(r"\\\[\(\?:(\w+)\(\?:,\1\)\*\)\?\\\]")


def page() -> str:
    """Return the whole page: events, fields, kinds of values."""
    always = _common()
    parts = [HEAD, "## Events", "", f"Every entry has {_names(always)}.", ""]
    parts += ["| event | always | sometimes |", "|---|---|---|"]
    parts += [_event(event, always) for event in entries.Event]
    comments, kinds = _comments(), _kinds()
    parts += ["", *_awaited()]
    parts += ["", "## Fields", "", "| field | kind | |", "|---|---|---|"]
    parts += [
        f"| `{name}` | {_cell(_read(form))} | {comments.get(name, '')} |"
        for name, form in entries.FIELDS.items()
        if name != "event"
    ]
    parts += [
        "",
        "## Kinds of values",
        "",
        "Regular expressions over a value's canonical JSON; capitals name other kinds.",
    ]
    parts += ["", "```text", *(f"{name:<10} {_read(form, name)}" for form, name in kinds.items()), "```", ""]
    return "\n".join(parts)


def _awaited() -> list[str]:
    """Say which events are written by nothing yet: the enumeration is a contract that later releases keep."""
    said = [f"- `{event}`: {what}" for event, what in AWAITED.items()]
    return ["Nothing writes these yet. They wait, in the form that they will have, for:", "", *said]


def _common() -> frozenset[str]:
    return frozenset.intersection(*(entries.fields_of(event)[0] for event in entries.Event))


def _event(event: entries.Event, always: frozenset[str]) -> str:
    must, may = entries.fields_of(event)
    return f"| `{event.value}` | {_names(must - always)} | {_names(may - must)} |"


def _names(fields: frozenset[str]) -> str:
    return ", ".join(f"`{field}`" for field in sorted(fields))


def _kinds() -> dict[str, str]:
    """Return the kinds of values that have a name: form to name."""
    named = vars(entries).items()
    return {form: name for name, form in named if name.isupper() and name[0] != "_" and isinstance(form, str)}


def _read(form: str, itself: str = "") -> str:
    """Return a form with the names of the kinds inside it, the longest first."""
    for inner, name in sorted(_kinds().items(), key=lambda item: -len(item[0])):
        if name != itself:
            form = form.replace(inner, name)
    return LIST.sub(r"list of \1", form)


def _cell(text: str) -> str:
    return "`" + text.replace("|", "\\|") + "`"


def _comments() -> dict[str, str]:
    """Return what the source says beside each field."""
    found = re.findall(r'^    "(\w+)": .*?,  # (.+)$', inspect.getsource(entries), re.MULTILINE)
    return {name: f"{text[0].upper()}{text[1:]}." for name, text in found}
