"""Signed notes, checkpoints, keys, receipts: strict parsing, no second spelling of anything."""

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.keys import Ed25519Signer, Ed25519Verifier, create_key, load_signer, load_verifier
from audit.merkle import EMPTY_ROOT, leaf_hash
from audit.notes import (
    Checkpoint,
    NoteError,
    decode_base64,
    open_checkpoint,
    parse_checkpoint,
    parse_note,
    sign_note,
    verify_note,
)
from audit.receipt import Receipt, ReceiptError
from tests.audit.samples import ORIGIN, SIGNER

# golang.org/x/mod/sumdb/note, documentation of the package: the key and the note of its example.
PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PETER_NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)


def checkpoint(size: int = 3, origin: str = ORIGIN, signer: Ed25519Signer = SIGNER) -> bytes:
    return str(sign_note(Checkpoint(origin, size, EMPTY_ROOT).text, [signer])).encode()


def test_a_note_signed_by_go_is_accepted() -> None:
    note = parse_note(PETER_NOTE.encode())
    (signature,) = verify_note(note, [Ed25519Verifier.parse(PETER)])
    assert signature.name == "PeterNeumann"
    assert str(note) == PETER_NOTE
    assert str(Ed25519Verifier.parse(PETER)) == PETER


def test_a_checkpoint_comes_back_as_it_was_signed() -> None:
    assert open_checkpoint(checkpoint(), SIGNER.verifier) == Checkpoint(ORIGIN, 3, EMPTY_ROOT)


@given(st.integers(0, len(checkpoint()) * 8 - 1))
def test_no_bit_of_a_checkpoint_can_change(bit: int) -> None:
    data = bytearray(checkpoint())
    data[bit // 8] ^= 1 << bit % 8
    with pytest.raises(NoteError):
        open_checkpoint(bytes(data), SIGNER.verifier)


@pytest.mark.parametrize(
    "text",
    [
        "",
        f"{ORIGIN}\n3\n",
        f"{ORIGIN}\n03\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
        f"{ORIGIN}\n-3\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
        f"{ORIGIN}\n٣\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
        f"{ORIGIN}\n3\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFV=\n",
        f"{ORIGIN}\n3\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU\n",
        f"{ORIGIN}\n3\n47DEQpj8HBSa\n",
        f"{ORIGIN}\n3\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\nextension\n",
        "\n3\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
    ],
)
def test_malformed_checkpoints_are_refused(text: str) -> None:
    with pytest.raises(NoteError):
        parse_checkpoint(text)


def test_a_checkpoint_of_another_origin_or_key_or_without_signature_is_refused() -> None:
    stranger = Ed25519Signer(ORIGIN, b"\x09" * 32)
    stripped = checkpoint().split(b"\n\n")[0] + b"\n\n"
    for bad in (checkpoint(origin="other.example.org"), checkpoint(signer=stranger), stripped, stripped[:-1]):
        with pytest.raises(NoteError):
            open_checkpoint(bad, SIGNER.verifier)


def test_a_checkpoint_carries_further_signatures_and_the_log_s_own_is_still_needed() -> None:
    witness = Ed25519Signer("witness.example.net", b"\x08" * 32)
    text = Checkpoint(ORIGIN, 3, EMPTY_ROOT).text
    both = str(sign_note(text, [SIGNER, witness])).encode()
    assert open_checkpoint(both, SIGNER.verifier).size == 3
    assert open_checkpoint(both, SIGNER.verifier, [witness.verifier]).size == 3
    alone = str(sign_note(text, [witness])).encode()
    with pytest.raises(NoteError):
        open_checkpoint(alone, SIGNER.verifier, [witness.verifier])


def test_a_note_with_a_known_key_s_false_or_repeated_signature_is_refused() -> None:
    good = checkpoint()
    other = checkpoint(size=4)
    line = other[other.rindex("—".encode()) :]
    for bad in (good + line, good + good[good.rindex("—".encode()) :]):
        with pytest.raises(NoteError):
            open_checkpoint(bad, SIGNER.verifier)


@pytest.mark.parametrize("text", ["YQ", "YR==", "YQ==\n", " YQ==", "Y-==", "YQ===", "é"])
def test_base64_has_one_spelling(text: str) -> None:
    with pytest.raises(NoteError):
        decode_base64(text)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\u00a0b", "a\nb"])
def test_key_names_without_spaces_or_plus(name: str) -> None:
    with pytest.raises(NoteError):
        Ed25519Signer(name, bytes(32))


@pytest.mark.parametrize(
    "text",
    [
        PETER.replace("c74f20a3", "c74f20a4"),
        PETER.replace("PeterNeumann", "PaulNeumann"),
        PETER.replace("+AR", "+AB"),
        PETER.replace("c74f20a3", "C74F20A3"),
        PETER + "\n\n",
        "PeterNeumann",
    ],
)
def test_malformed_verifier_keys_are_refused(text: str) -> None:
    with pytest.raises(NoteError):
        Ed25519Verifier.parse(text)


def test_key_files_are_made_once_and_the_private_one_for_its_owner_alone(tmp_path: Path) -> None:
    private, public = tmp_path / "log.key", tmp_path / "log.vkey"
    signer = create_key(ORIGIN, b"\x03" * 32, private, public)
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    assert load_signer(private).key_id == signer.key_id == load_verifier(public).key_id
    assert load_verifier(public).verify(b"x", load_signer(private).sign(b"x"))
    with pytest.raises(FileExistsError):
        create_key(ORIGIN, b"\x04" * 32, private, public)


def receipt(extra: bytes | None = None) -> bytes:
    """The receipt of entry 0 in a log of the two entries a and b."""
    from audit.merkle import node_hash

    note = sign_note(Checkpoint(ORIGIN, 2, node_hash(leaf_hash(b"a"), leaf_hash(b"b"))).text, [SIGNER])
    return str(Receipt(0, (leaf_hash(b"b"),), str(note).encode(), extra)).encode()


def test_a_receipt_proves_its_entry_and_no_other() -> None:
    parsed = Receipt.parse(receipt())
    assert parsed.verify(b"a", SIGNER.verifier).size == 2
    assert str(parsed).encode() == receipt()
    assert Receipt.parse(receipt(b"a")).extra == b"a"
    with pytest.raises(ReceiptError):
        parsed.verify(b"b", SIGNER.verifier)


@given(st.integers(0, len(receipt()) * 8 - 1))
def test_no_bit_of_a_receipt_can_change(bit: int) -> None:
    data = bytearray(receipt())
    data[bit // 8] ^= 1 << bit % 8
    with pytest.raises(ReceiptError):
        Receipt.parse(bytes(data)).verify(b"a", SIGNER.verifier)


@given(st.binary(max_size=300) | st.binary(max_size=300).map(lambda more: receipt()[:60] + more))
def test_no_bytes_make_the_receipt_reader_fail_otherwise(data: bytes) -> None:
    with pytest.raises(ReceiptError):
        Receipt.parse(data).verify(b"a", SIGNER.verifier)


@given(st.binary(max_size=300))
def test_no_bytes_make_the_note_reader_fail_otherwise(data: bytes) -> None:
    with pytest.raises(NoteError):
        open_checkpoint(data, SIGNER.verifier)
