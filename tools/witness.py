"""A witness of the audit log, run by somebody who does not run the platform.

    python3 witness.py key witness.example/w1 FOLDER       makes a key, prints its public line
    python3 witness.py serve FOLDER --log-keys FILE --port 8090

It keeps the newest checkpoint it signed and never signs a smaller tree or one that does not begin
with what it saw: whoever restores an old backup and goes on, or forks the log with a stolen key, gets
no signature. Needs Python 3.11 and the package ``cryptography``, nothing of the platform. Formats:
c2sp.org/tlog-witness (add-checkpoint), tlog-cosignature (Ed25519), signed-note; RFC 9162, 2.1.4.
"""

import argparse
import base64
import fcntl
import os
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

LOG, COSIGNER = b"\x01", b"\x04"
LARGEST_REQUEST = 64 * 1024
NUMBER = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)
LINE = re.compile(r"— ([^\s+]+) ([A-Za-z0-9+/]+=*)")
Keys = dict[tuple[str, bytes], Ed25519PublicKey]


class Refused(Exception):
    """A request that is not signed: HTTP status and the text of the answer."""

    def __init__(self, status: int, text: str = "", kind: str = "text/plain") -> None:
        super().__init__(text)
        self.status, self.text, self.kind = status, text, kind


class Witness:
    """``folder`` holds ``key`` (name and secret) and, by log, the newest checkpoint signed."""

    def __init__(self, folder: Path, log_keys: str, clock: Callable[[], float] = time.time) -> None:
        name, secret = (folder / "key").read_text("utf-8").split()
        self.folder, self.name, self.clock = folder, name, clock
        self.key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(secret))
        self.log_keys = read_log_keys(log_keys)

    @property
    def vkey(self) -> str:
        return vkey(self.name, COSIGNER + self.key.public_key().public_bytes_raw())

    def add_checkpoint(self, request: bytes) -> str:
        """Check a checkpoint against what was signed before, keep it, return our signature line.
        Raises Refused."""
        old, proof, note = read_request(request)
        origin, size, root, text = self._read(note)
        if old > size:
            raise Refused(400, "the old size is larger than the checkpoint's\n")
        with self._alone():
            known, known_root = self._newest(origin)
            if old != known:
                raise Refused(409, f"{known}\n", "text/x.tlog.size")
            if old == size and known and root != known_root:
                raise Refused(409, f"{known}\n", "text/x.tlog.size")
            if not is_consistent(old, size, known_root, root, proof):
                raise Refused(422, "the log does not begin with what was signed before\n")
            self._keep(origin, note)
        return self._sign(text)

    def _read(self, note: str) -> tuple[str, int, bytes, str]:
        """Origin, size, root and text of a checkpoint its log signed."""
        text, blank, tail = note.rpartition("\n\n")
        lines = text.split("\n")
        if not blank or len(lines) < 3 or not NUMBER.fullmatch(lines[1]):
            raise Refused(400, "not a checkpoint\n")
        if lines[0] not in {name for name, _ in self.log_keys}:
            raise Refused(404, "this log is not witnessed here\n")
        signed = text.encode() + b"\n"
        if not any(self._holds(line, lines[0], signed) for line in tail.split("\n")):
            raise Refused(403, "not signed by the log's key\n")
        return lines[0], int(lines[1]), decode_hash(lines[2]), text + "\n"

    def _holds(self, line: str, origin: str, signed: bytes) -> bool:
        match = LINE.fullmatch(line)
        try:
            raw = base64.b64decode(match[2], validate=True) if match else b""
        except ValueError:
            return False
        key = self.log_keys.get((match[1], raw[:4])) if match and match[1] == origin else None
        try:
            if key is not None:
                key.verify(raw[4:], signed)
        except InvalidSignature:
            return False
        return key is not None

    def _sign(self, text: str) -> str:
        at = int(self.clock())
        signature = self.key.sign(f"cosignature/v1\ntime {at}\n{text}".encode())
        id_ = bytes.fromhex(self.vkey.split("+")[1])
        told = base64.b64encode(id_ + at.to_bytes(8, "big") + signature).decode()
        return f"— {self.name} {told}\n"

    def _path(self, origin: str) -> Path:
        return self.folder / f"{sha256(origin.encode()).hexdigest()}.checkpoint"

    def _newest(self, origin: str) -> tuple[int, bytes]:
        try:
            lines = self._path(origin).read_text("utf-8").split("\n")
        except FileNotFoundError:
            return 0, b""
        return int(lines[1]), decode_hash(lines[2])

    def _keep(self, origin: str, note: str) -> None:
        """On the disk before anything is answered."""
        path = self._path(origin)
        new = path.with_suffix(".new")
        with new.open("w", encoding="utf-8") as file:
            file.write(note)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
        folder = os.open(self.folder, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Looking at what was signed and keeping the next are one step, for every process."""
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def read_request(request: bytes) -> tuple[int, list[bytes], str]:
    try:
        head, blank, note = request.decode().partition("\n\n")
    except UnicodeDecodeError:
        raise Refused(400, "not UTF-8\n") from None
    lines = head.split("\n")
    old = lines[0].removeprefix("old ")
    if not blank or not lines[0].startswith("old ") or not NUMBER.fullmatch(old) or len(lines) > 64:
        raise Refused(400, "not a request of add-checkpoint\n")
    return int(old), [decode_hash(line) for line in lines[1:]], note


def decode_hash(text: str) -> bytes:
    try:
        raw = base64.b64decode(text, validate=True)
    except ValueError:
        raw = b""
    if len(raw) != 32:
        raise Refused(400, "not a hash\n")
    return raw


def is_consistent(old: int, size: int, old_root: bytes, root: bytes, path: Sequence[bytes]) -> bool:
    """Whether the tree ``root`` of ``size`` begins with the tree ``old_root`` of ``old``."""
    if old == 0 or old == size:
        return not path and (old == 0 or old_root == root)
    if not path:
        return False
    steps = [old_root, *path] if old & (old - 1) == 0 else list(path)
    place, last = old - 1, size - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    first = second = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            first = sha256(b"\x01" + step + first).digest()
            second = sha256(b"\x01" + step + second).digest()
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            second = sha256(b"\x01" + second + step).digest()
        place, last = place >> 1, last >> 1
    return last == 0 and first == old_root and second == root


def vkey(name: str, typed: bytes) -> str:
    id_ = sha256(name.encode() + b"\n" + typed).digest()[:4]
    return f"{name}+{id_.hex()}+{base64.b64encode(typed).decode()}"


def read_log_keys(text: str) -> Keys:
    """The logs' Ed25519 keys from lines ``name+id+base64``; other kinds (SM2) are left aside."""
    keys = {}
    for line in text.split():
        name, id_, encoded = line.split("+", 2)
        typed = base64.b64decode(encoded, validate=True)
        if vkey(name, typed) != line:
            sys.exit(f"公钥写法不对，或编号与公钥不符：{line[:60]}")
        if typed[:1] == LOG:
            keys[name, bytes.fromhex(id_)] = Ed25519PublicKey.from_public_bytes(typed[1:])
    return keys


def make_key(name: str, folder: Path) -> None:
    """Make the key of a new witness. An existing one is never replaced."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    secret = Ed25519PrivateKey.generate().private_bytes_raw().hex()
    handle = os.open(folder / "key", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(f"{name} {secret}\n")


def server(witness: Witness, host: str, port: int) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        timeout = 10

        def do_POST(self) -> None:
            length = self.headers.get("Content-Length", "")
            try:
                if self.path != "/add-checkpoint":
                    raise Refused(404, "only /add-checkpoint\n")
                if not NUMBER.fullmatch(length) or int(length) > LARGEST_REQUEST:
                    raise Refused(400, "too long, or no length\n")
                told = witness.add_checkpoint(self.rfile.read(int(length)))
                self._answer(200, told, "text/plain")
            except Refused as refused:
                self._answer(refused.status, refused.text, refused.kind)

        def _answer(self, status: int, text: str, kind: str) -> None:
            body = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            print(time.strftime("%Y-%m-%d %H:%M:%S"), format % args, file=sys.stderr)

    return ThreadingHTTPServer((host, port), Handler)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="审计日志的见证人：由平台以外的机构运行。")
    verbs = parser.add_subparsers(dest="verb", required=True)
    key = verbs.add_parser("key", help="生成见证人的密钥，打印公钥")
    key.add_argument("name", help="见证人的名字，例如 witness.example/w1")
    serve = verbs.add_parser("serve", help="等日志来要签名")
    for verb in (key, serve):
        verb.add_argument("folder", type=Path, help="密钥和见过的检查点放在哪里")
    serve.add_argument("--log-keys", type=Path, required=True, help="日志的公钥，从可信的地方取得")
    serve.add_argument("--host", default="127.0.0.1")
    serve.add_argument("--port", type=int, default=8090)
    given = parser.parse_args(arguments)
    try:
        if given.verb == "key":
            make_key(given.name, given.folder)
            print(Witness(given.folder, "").vkey)
            return
        witness = Witness(given.folder, given.log_keys.read_text("utf-8"))
    except FileExistsError:
        sys.exit("这里已经有密钥，不换：换了密钥就是另一个见证人。")
    except FileNotFoundError as error:
        sys.exit(f"缺少文件 {error.filename}。处理办法：先运行 key，并从日志的运营方取得公钥文件。")
    with server(witness, given.host, given.port) as running:
        print(f"{witness.vkey}\n在 {given.host}:{running.server_port} 等候", flush=True)
        running.serve_forever()


if __name__ == "__main__":
    main()
