"""The commands of those who keep logs: `serve` (the writer), `witness`, `push`, `cosigner-key`."""

import argparse
import grp
import pwd
import secrets
import signal
import sys
import threading
import time
from pathlib import Path

from audit import cosigned
from audit.cosignatures import ED25519, ML_DSA_44, SEED, CosignatureVerifier, Cosigner
from audit.files import OsFiles
from audit.keys import load_signer, write_key
from audit.log import Log
from audit.notes import NoteError
from audit.pushing import Word, posting, push
from audit.reader import LogReader
from audit.service import serve
from audit.usage import DONE, FAILED, FAULT, UsageError, public_key
from audit.witness import Witness
from audit.witness import serve as serve_witness


def add_keeping(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the commands to the parser."""
    writer = commands.add_parser("serve", help="write a log for other processes, behind a Unix socket")
    writer.add_argument("--log", required=True, type=Path, metavar="DIR")
    writer.add_argument("--head", required=True, type=Path, metavar="DIR", help="the second place of the head")
    writer.add_argument("--key", required=True, type=Path, metavar="FILE", help="the log's private key (log.key)")
    writer.add_argument("--socket", required=True, type=Path, metavar="PATH")
    writer.add_argument(
        "--user", action="append", metavar="NAME", help="who may connect (default: this user); may be given again"
    )
    writer.add_argument("--group", metavar="NAME", help="the group that may use the socket and read new files")
    writer.set_defaults(run=_serve)
    _witnessing(commands)


def _witnessing(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    key = commands.add_parser("cosigner-key", help="make the key of a witness")
    key.add_argument(
        "--name", required=True, metavar="NAME", help="a URL without its scheme, such as witness.example/w1"
    )
    key.add_argument("--key", required=True, type=Path, metavar="FILE", help="where the private key goes")
    key.add_argument("--public", required=True, type=Path, metavar="FILE", help="where the public key goes")
    key.add_argument("--ml-dsa", action="store_true", help="ML-DSA-44 in place of Ed25519")
    key.set_defaults(run=_cosigner_key)
    witness = commands.add_parser("witness", help="cosign other people's logs (C2SP tlog-witness)")
    witness.add_argument(
        "--state", required=True, type=Path, metavar="DIR", help="its memory: never lose or restore it"
    )
    witness.add_argument(
        "--key", required=True, action="append", type=Path, metavar="FILE", help="a private key of its own"
    )
    witness.add_argument(
        "--trust", required=True, action="append", type=Path, metavar="FILE", help="a log's public key"
    )
    witness.add_argument("--host", default="127.0.0.1")
    witness.add_argument("--port", type=int, default=8322)
    witness.set_defaults(run=_witness)
    push = commands.add_parser("push", help="show the newest head to witnesses, and keep it with their cosignatures")
    push.add_argument("--log", required=True, type=Path, metavar="DIR")
    push.add_argument(
        "--witness", required=True, action="append", nargs=2, metavar=("URL", "FILE"), help="address and public key"
    )
    push.add_argument("--sign", action="append", default=[], type=Path, metavar="FILE", help="a second key of the log")
    push.add_argument(
        "--quorum", type=int, default=1, metavar="K", help="keep a head that K of them cosigned (default: %(default)s)"
    )
    push.add_argument("--out", type=Path, metavar="FILE", help="where it is kept (default: `cosigned` in DIR)")
    push.add_argument("--every", type=float, metavar="SECONDS", help="go on for ever")
    push.set_defaults(run=_push)


def _cosigner_key(options: argparse.Namespace) -> int:
    try:
        cosigner = Cosigner(options.name, ML_DSA_44 if options.ml_dsa else ED25519, secrets.token_bytes(SEED))
    except NoteError as error:
        raise UsageError(str(error)) from error
    write_key(cosigner.private_text(), str(cosigner.verifier), options.key, options.public)
    print(cosigner.verifier)
    return DONE


def _witness(options: argparse.Namespace) -> int:
    try:
        cosigners = [Cosigner.parse(path.read_text("utf-8")) for path in options.key]
    except (NoteError, UnicodeDecodeError) as error:
        raise UsageError("not a private key of a cosigner") from error
    witness = Witness(options.state, cosigners, [public_key(path) for path in options.trust])
    try:
        with serve_witness(witness, options.host, options.port, lambda line: print(line, file=sys.stderr)) as server:
            signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
            print(f"witnessing at http://{options.host}:{server.server_port}", flush=True)
            server.serve_forever()
    finally:
        witness.close()
    return DONE


def _push(options: argparse.Namespace) -> int:
    try:
        witnesses = [
            (CosignatureVerifier.parse(Path(key).read_text("utf-8")), posting(url)) for url, key in options.witness
        ]
        own = [Cosigner.parse(path.read_text("utf-8")) for path in options.sign]
    except (ValueError, UnicodeDecodeError) as error:
        raise UsageError(str(error)) from error
    out = options.out or options.log / cosigned.NAME
    with LogReader(options.log) as log:
        while True:
            told = push(log, witnesses, out, own, quorum=options.quorum)
            for one in told:
                warning = "CONTRADICTION: " if one.word is Word.CONTRADICTS else ""
                print(f"{warning}{one.witness} {one.sentence}", flush=True)
            if options.every is None:
                break
            time.sleep(options.every)
    if any(one.word is Word.CONTRADICTS for one in told):
        return FAILED
    return DONE if all(one.signatures for one in told) else FAULT


def _serve(options: argparse.Namespace) -> int:
    users = None if options.user is None else [_user(name) for name in options.user]
    group = None if options.group is None else _group(options.group)
    try:
        signer = load_signer(options.key)
    except (NoteError, UnicodeDecodeError) as error:
        raise UsageError(f"{options.key} is no private key of a log") from error
    with Log(options.log, options.head, signer, files=OsFiles(shared=group is not None)) as log:
        size = log.size
        serve(
            log,
            options.socket,
            users=users,
            group=group,
            ready=lambda: print(
                f"the log {signer.name} with {size} entries is written at {options.socket}", flush=True
            ),
        )
    return DONE


def _user(name: str) -> int:
    try:
        return pwd.getpwnam(name).pw_uid
    except KeyError:
        raise UsageError(f"there is no user {name}") from None


def _group(name: str) -> int:
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        raise UsageError(f"there is no group {name}") from None
