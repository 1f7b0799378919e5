"""npm's `@sigstore/verify`, which this project did not write, accepts the log's receipts and refuses changed ones."""

import subprocess
from pathlib import Path

import pytest

from audit.cosignatures import ML_DSA_44, Cosigner
from tests.audit.samples import SIGNER, new_log, story
from tests.npm import package

VERSION = "3.1.1"
SCRIPT = Path(__file__).parent / "sigstore" / "verify.cjs"


@pytest.fixture(scope="module")
def packages() -> Path:
    """The installed package, kept outside the project's tree."""
    return package(f"@sigstore/verify@{VERSION}")


def verdicts(packages: Path, files: list[Path]) -> list[str]:
    command = ["node", str(SCRIPT), str(packages), str(SIGNER.verifier), *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    return done.stdout.splitlines()


def written(folder: Path, texts: list[str]) -> list[Path]:
    files = [folder / f"{number}.tlog-proof" for number in range(len(texts))]
    for file, text in zip(files, texts, strict=True):
        file.write_text(text)
    return files


def test_sigstore_accepts_receipts_from_every_part_of_the_tree(packages: Path, tmp_path: Path) -> None:
    texts = []
    second = Cosigner(SIGNER.name, ML_DSA_44, bytes(32))
    with new_log(tmp_path, others=[second]) as log:
        for count in (1, 1, 5, 250, 300, 43):
            log.append(list(story(count, seed=count)))
            size = log.size
            texts += [
                log.inclusion(index, with_entry=True) for index in {0, size // 3, size - 2, size - 1} if index >= 0
            ]
    assert set(verdicts(packages, written(tmp_path, texts))) == {"accepted"}


def test_sigstore_refuses_a_changed_entry_proof_and_head(packages: Path, tmp_path: Path) -> None:
    with new_log(tmp_path) as log:
        log.append(list(story(300)))
        good = log.inclusion(123, with_entry=True)
    lines = good.split("\n")
    changed = [
        good.replace("\nindex 123\n", "\nindex 122\n"),
        good.replace("\n300\n", "\n301\n"),
        "\n".join([*lines[:3], *lines[4:]]),
        "\n".join([*lines[:3], lines[4], lines[3], *lines[5:]]),
        "\n".join([lines[0], "extra e30=", *lines[2:]]),
        good[: good.index("— ")] + "— other.example/log " + good.split(" ")[-1],
    ]
    first, *rest = verdicts(packages, written(tmp_path, [good, *changed]))
    assert first == "accepted"
    assert [one.startswith("refused") for one in rest] == [True] * len(changed)
