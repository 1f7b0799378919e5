"""The audit log that outsiders can verify: its formats, its writer, its readers, its verifier.

Imports nothing of `tre`; needs the standard library and `cryptography`. Begin with README.md beside this file.
"""

from audit.entries import Event, MalformedError, decode_entry, encode_entry
from audit.keys import Ed25519Signer, Ed25519Verifier, create_key, load_signer, load_verifier
from audit.log import Log, LogStoppedError, create_log
from audit.notes import Checkpoint, NoteError, open_checkpoint
from audit.reader import LogError, LogReader, Reader
from audit.receipt import Receipt, ReceiptError
from audit.remote import RemoteLog
from audit.replay import Demands, OldHead
from audit.report import Report, as_json, as_text
from audit.results import result_commitment
from audit.static import export, from_folder, from_url, verify_tree
from audit.tiles import TileError
from audit.verify import verify_folder

__all__ = [
    "Checkpoint",
    "Demands",
    "Ed25519Signer",
    "Ed25519Verifier",
    "Event",
    "Log",
    "LogError",
    "LogReader",
    "LogStoppedError",
    "MalformedError",
    "NoteError",
    "OldHead",
    "Reader",
    "Receipt",
    "ReceiptError",
    "RemoteLog",
    "Report",
    "TileError",
    "as_json",
    "as_text",
    "create_key",
    "create_log",
    "decode_entry",
    "encode_entry",
    "export",
    "from_folder",
    "from_url",
    "load_signer",
    "load_verifier",
    "open_checkpoint",
    "result_commitment",
    "verify_folder",
    "verify_tree",
]
