"""The README's block of what `make demo` says. `make -s demo | python docs/_ext/demo_block.py` renews it."""

import re
import sys
from pathlib import Path

README = Path(__file__).resolve().parent.parent.parent / "README.md"
BLOCK = re.compile(r"(?<=-->\n```text\n).*?(?=```\n<!-- end of demo -->)", re.DOTALL)
NUMBER = re.compile(r"-?\d[\d,.]*(e-?\d+)?")
SECRET = re.compile(r"\bv_\w+|[A-Za-z0-9+/]{43}=")


def shown() -> str:
    """Return what the README says that the demonstration says."""
    found = BLOCK.search(README.read_text(encoding="utf-8"))
    if found is None:
        raise LookupError("the README has no block for the demonstration")
    return found[0]


def outline(output: str) -> list[str]:
    """Return the lines of an output that no noise changes: numbers stand as #, the rows of tables are left out."""
    lines: list[str] = []
    inside = False
    for line in output.replace(".venv/bin/", "").splitlines():  # where it is installed is the reader's affair
        rule = bool(line.strip()) and set(line) <= {"-", " "}
        inside = (inside or rule) and bool(line.strip())
        if rule or not inside:
            kept = line.strip() if rule else NUMBER.sub("#", SECRET.sub("…", line.rstrip()))
            lines.append("---" if rule else re.sub(r" +", " ", kept))
    return [line for line in lines if line.strip()]


def renew(output: str) -> None:
    """Write `output` into the README."""
    said = "\n".join(line.rstrip() for line in output.splitlines())
    text = README.read_text(encoding="utf-8")
    README.write_text(BLOCK.sub(lambda _: f"{said.strip()}\n", text), encoding="utf-8")


if __name__ == "__main__":
    renew(sys.stdin.read())
