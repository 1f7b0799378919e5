"""The demonstration: a hospital of nobody, three questions, a refusal, the budget, the proof."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

from tre.app.admin import HomeAdmin, open_admin
from tre.base.home import Home
from tre.base.reasons import Refused
from tre.base.reasons import app as reasons
from tre.cli.admin import NewPerson, NewProject, Progress
from tre.cli.output import table_text
from tre.client import Connection, Result, TreError, TreRefused, connect
from tre.client.values import shown
from tre.demo import generate
from tre.policy.shipped import policies_folder

Say = Callable[[str], None]

DATASET, PROJECT, RESEARCHER = "northfield", "diabetes", "okafor"
REVIEWERS = (
    NewPerson("mensah", "Ms E. Mensah", ("controller",), controls=(DATASET,)),
    NewPerson("audley", "Mr A. Audley", ("auditor",)),
    NewPerson("lindqvist", "Prof H. Lindqvist", ("board",)),  # last: nobody is added by command once a board exists
)
_SEED = 20_260_101
_START_SECONDS = 60.0

QUESTIONS = (
    (
        "How many people are there, by sex?",
        "SELECT c.concept_name AS sex, COUNT(*) AS people\n"
        "FROM person p JOIN concept c ON c.concept_id = p.gender_concept_id\n"
        "GROUP BY c.concept_name",
        "0.25",
    ),
    (
        "How many have type 2 diabetes, by decade of birth?",
        "SELECT p.year_of_birth / 10 * 10 AS born, COUNT(DISTINCT p.person_id) AS people\n"
        "FROM person p JOIN condition_occurrence co ON co.person_id = p.person_id\n"
        "WHERE co.condition_concept_id = 201826\n"
        "GROUP BY 1 ORDER BY 1",
        "0.5",
    ),
    (
        "What share of the people with high blood pressure was ever admitted to hospital?",
        "SELECT COUNT(*) AS people,\n"
        "       COUNT(*) FILTER (WHERE EXISTS (SELECT 1 FROM visit_occurrence v WHERE v.person_id = p.person_id\n"
        "                                      AND v.visit_concept_id = 9201)) AS admitted,\n"
        "       ROUND(100.0 * COUNT(*) FILTER (WHERE EXISTS (SELECT 1 FROM visit_occurrence v\n"
        "             WHERE v.person_id = p.person_id AND v.visit_concept_id = 9201)) / COUNT(*), 1) AS percent\n"
        "FROM person p\n"
        "WHERE EXISTS (SELECT 1 FROM condition_occurrence co\n"
        "              WHERE co.person_id = p.person_id AND co.condition_concept_id = 320128)",
        "0.5",
    ),
)
REFUSED = "SELECT p.person_id, p.year_of_birth FROM person p WHERE p.year_of_birth < 1930"


def tell(root: Path, people: int, say: Say, progress: Progress) -> None:
    """Make the home at `root` and show it at work. Raises Refused (app.demo-exists) rather than replace a real home."""
    _clear(root)
    admin = open_admin(root)
    _furnish(admin, root, people, say, progress)
    token = admin.token(RESEARCHER, PROJECT, 60)
    admin.house.close()  # the server is to write the log now
    with _served(root) as url:
        connection = connect(url, token=token, project=PROJECT)
        for number, (title, sql, epsilon) in enumerate(QUESTIONS, 1):
            _ask(connection, f"{number}. {title}", sql, epsilon, say)
        _refused(connection, say)
        _budget(connection, say)
    _verified(root, say)
    say(f"\nThe portal runs with `make serve` at http://127.0.0.1:8321 (home: {root}). On its sign-in page you choose")
    say("who you are: Dr A. Okafor asks; Ms E. Mensah and Prof H. Lindqvist see who asked, and why it was refused.")
    say("The API stands beside it, at http://127.0.0.1:8321/api/v1.")
    say(f"A researcher's token: TRE_HOME={root} {_tool()} token --person {RESEARCHER} --project {PROJECT}")


def _tool() -> str:
    """Return `tre` as a person can type it here, whether its folder is on the path or not."""
    tool = Path(sys.executable).with_name("tre")
    return str(tool.relative_to(Path.cwd())) if tool.is_relative_to(Path.cwd()) else "tre"


def _clear(root: Path) -> None:
    if not root.exists() or not any(root.iterdir()):
        return
    if not Home(root).demonstration.is_file():
        raise Refused.because(reasons.DEMO_EXISTS, home=str(root))
    shutil.rmtree(root)


def _furnish(admin: HomeAdmin, root: Path, people: int, say: Say, progress: Progress) -> None:
    say(f"A home for the demonstration in {root}, and a synthetic population of {people:,} people.")
    admin.init(root, "northfield.example/demonstration")
    Home(root).demonstration.touch()
    _choosing(Home(root))
    with tempfile.TemporaryDirectory(dir=Home(root).spill) as folder:
        generate(people, _SEED, Path(folder), progress)
        added = admin.dataset_add(DATASET, Path(folder), policies_folder() / "omop.yaml", progress)
    say(f"The data set {DATASET} is at version {added.version}: no names, no NHS numbers, no postcodes came along.")
    admin.person_add(NewPerson(RESEARCHER, "Dr A. Okafor", ("researcher",)))
    admin.project_add(
        NewProject(PROJECT, (DATASET,), (RESEARCHER,), ("DUO:0000006",), Decimal(5), Decimal("1e-6"), None)
    )
    for person in REVIEWERS:
        admin.person_add(person)
    say(f"Dr A. Okafor ({RESEARCHER}) may ask in the project {PROJECT}, for health research, up to epsilon 5.")
    say("Ms E. Mensah (mensah) answers for the data, Mr A. Audley (audley) audits,")
    say("Prof H. Lindqvist (lindqvist) sits on the board.\n")


def _choosing(home: Home) -> None:
    """Let whoever sits at this machine choose who they are in the portal."""
    text = home.config.read_text(encoding="utf-8")
    home.config.write_text(text.replace("demonstration = false", "demonstration = true"), encoding="utf-8")


@contextmanager
def _served(root: Path) -> Iterator[str]:
    """Serve the home in a process of its own, as `make serve` does, on a free port of this machine."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "tre.cli", "serve", "--host", "127.0.0.1", "--port", str(port)]
    environment = {**os.environ, "TRE_HOME": str(root)}
    with (root / "serve.log").open("wb") as log:
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        try:
            _await(f"http://127.0.0.1:{port}", server)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait()


def _await(url: str, server: subprocess.Popen[bytes]) -> None:
    import requests

    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        try:
            if requests.get(f"{url}/healthz", timeout=2).ok:
                return
        except requests.RequestException:  # also a connection that is taken while the engines are still being warmed
            time.sleep(0.1)
    raise TreError("The server did not start; serve.log in the home says why.")


def _ask(connection: Connection, title: str, sql: str, epsilon: str, say: Say) -> None:
    say(title)
    say(_indented(sql))
    decision = connection.check(sql, epsilon=epsilon)
    if decision.price is not None:
        errors = ", ".join(f"{name} ±{width:g}" for name, width in decision.error.items() if width is not None)
        say(f"  Beforehand: epsilon {decision.price.epsilon:.3g} ({decision.price.share:.1%} of the budget); {errors}")
    say(_shown(connection.query(sql, epsilon=epsilon, progress=False)))


def _shown(result: Result) -> str:
    names = [column.name for column in result.columns]
    rows = [[shown(cell) for cell in row] for row in result.rows]
    numeric = [column.type in ("integer", "decimal", "double") for column in result.columns]
    return _indented(table_text(names, rows, numeric)) + "\n"


def _refused(connection: Connection, say: Say) -> None:
    say("4. And which people are they?")
    say(_indented(REFUSED))
    try:
        connection.query(REFUSED, progress=False)
    except TreRefused as refused:
        for reason in refused.reasons:
            say(_indented(f"Refused ({reason.code}): {reason.sentence}\n{reason.remedy}") + "\n")


def _budget(connection: Connection, say: Say) -> None:
    for account in connection.budget().accounts:
        spent, limit = account.spent, account.limit
        share = (spent.rho or 0) / (limit.rho or 1)
        say(f"Budget on {account.dataset}: {share:.1%} of rho {limit.rho} is spent. Read as epsilon, that is")
        say(f"{spent.epsilon:.3g} of {limit.epsilon:.3g}: rho adds up, epsilon does not. The refusal was free.\n")


def _verified(root: Path, say: Say) -> None:
    """Run the verifier as an outsider would: with the log, its public key and the ledgers."""
    ledgers = root / "ledgers.json"
    ledgers.write_text(open_admin(root).ledger_export())
    command = [sys.executable, "-m", "audit", "verify", "--log", str(root / "log"), "--key", str(root / "log.vkey")]
    found = subprocess.run([*command, "--ledger", str(ledgers)], capture_output=True, text=True, check=False)
    say("The verifier, which knows nothing of the rest:")
    say(_indented(found.stdout.strip() or found.stderr.strip()))
    if found.returncode:
        raise TreError("The log did not verify.")


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())
