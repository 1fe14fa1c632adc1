"""Checks the audit log from outside: python3 verify_log.py log FOLDER-OR-ADDRESS --keys FILE

Needs Python 3.11 and the package ``cryptography``, nothing of the platform. Formats: RFC 6962,
c2sp.org/tlog-tiles, tlog-checkpoint, tlog-proof, tlog-cosignature. Exit code 1: it does not hold.
"""

import argparse
import base64
import json
import re
import sys
import urllib.request
from collections.abc import Callable, Sequence
from functools import partial
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

DOMAIN = b"getihu.audit/v1\n"
NUMBER = re.compile(r"0|[1-9][0-9]*", re.ASCII)
Fetch = Callable[[str], bytes]
Read = Callable[[str], tuple[str, int, bytes]]
Keys = dict[tuple[str, bytes], tuple[int, Ed25519PublicKey]]
LOG, WITNESS = 1, 4  # types of keys


class DoesNotHold(Exception):
    """What was claimed is not so; the text says what."""


def leaf_hash(entry: bytes) -> bytes:
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def perfect(row: bytes) -> bytes:
    """The hash over a power of two of hashes laid end to end."""
    while len(row) > 32:
        row = b"".join(sha256(b"\x01" + row[i : i + 64]).digest() for i in range(0, len(row), 64))
    return row


def check_inclusion(index: int, size: int, leaf: bytes, path: Sequence[bytes], root: bytes) -> None:
    if not 0 <= index < size:
        raise DoesNotHold(f"序号 {index} 不在 {size} 条的日志里")
    place, last, hash_ = index, size - 1, leaf
    for step in path:
        if last == 0:
            raise DoesNotHold("存在证明太长")
        if place & 1 or place == last:
            hash_ = node_hash(step, hash_)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            hash_ = node_hash(hash_, step)
        place, last = place >> 1, last >> 1
    if last or hash_ != root:
        raise DoesNotHold("存在证明算出的根散列与检查点不符：这一条不在日志里")


def read_keys(text: str) -> Keys:
    """Ed25519 keys of logs and witnesses from lines ``name+id+base64``; others are left aside."""
    keys: Keys = {}
    for line in text.split():
        try:
            name, id_, encoded = line.split("+", 2)
            key = base64.b64decode(encoded, validate=True)
            if bytes.fromhex(id_) != sha256(name.encode() + b"\n" + key).digest()[:4]:
                raise ValueError
            if key[:1] in (b"\x01", b"\x04"):
                keys[name, bytes.fromhex(id_)] = key[0], Ed25519PublicKey.from_public_bytes(key[1:])
        except ValueError:
            raise DoesNotHold(f"公钥写法不对，或编号与公钥不符：{line[:60]}") from None
    return keys


def open_note(note: str, keys: Keys, quorum: int = 0) -> str:
    """Return the text once a log key and enough witnesses signed it and no known line is wrong."""
    text, blank, tail = note.rpartition("\n\n")
    lines, signed = tail.removesuffix("\n").split("\n"), {LOG: set[str](), WITNESS: set[str]()}
    if not blank or not tail.endswith("\n") or any(ord(c) < 32 and c != "\n" for c in note):
        raise DoesNotHold("不是签名文本")
    for line in lines:
        match = re.fullmatch(r"— ([^\s+]+) ([A-Za-z0-9+/]+=*)", line)
        try:
            raw = base64.b64decode(match[2], validate=True) if match else b""
        except ValueError:
            raw = b""
        if match is None or len(raw) < 5 or len(lines) > 16:
            raise DoesNotHold("签名行的格式不对")
        if found := keys.get((match[1], raw[:4])):
            at = f"cosignature/v1\ntime {int.from_bytes(raw[4:12], 'big')}\n"
            told, raw = (at, raw[12:]) if found[0] == WITNESS else ("", raw[4:])
            try:
                found[1].verify(raw, f"{told}{text}\n".encode())
            except InvalidSignature:
                raise DoesNotHold(f"{match[1]} 的签名不成立") from None
            signed[found[0]].add(match[1])
    if not signed[LOG] or len(signed[WITNESS]) < quorum:
        some = f"只有 {len(signed[WITNESS])} 个见证人签名，要 {quorum} 个：可能是另一份历史"
        raise DoesNotHold(some if signed[LOG] else "没有一个可信公钥的签名")
    return text + "\n"


def read_checkpoint(note: str, keys: Keys, quorum: int = 0) -> tuple[str, int, bytes]:
    """Return origin, size and root of a checkpoint that a known key of its origin signed."""
    lines, logs = (
        open_note(note, keys, quorum).split("\n"),
        {n for (n, _), k in keys.items() if k[0] == LOG},
    )
    if len(lines) < 4 or not NUMBER.fullmatch(lines[1]) or lines[0] not in logs:
        raise DoesNotHold("检查点的格式不对，或属于另一个日志")
    return lines[0], int(lines[1]), decode_hash(lines[2])


def decode_hash(text: str) -> bytes:
    try:
        raw = base64.b64decode(text, validate=True)
    except ValueError:
        raw = b""
    if len(raw) != 32:
        raise DoesNotHold("散列值的写法不对")
    return raw


def fetcher(source: str) -> Fetch:
    """Return what reads a file of the log, from a folder or an http(s) address."""

    def fetch(path: str) -> bytes:
        try:
            if not source.startswith(("http://", "https://")):
                return (Path(source) / path).read_bytes()
            with urllib.request.urlopen(f"{source.rstrip('/')}/{path}", timeout=60) as answer:
                return bytes(answer.read())
        except OSError:
            raise DoesNotHold(f"日志缺少文件 {path}") from None

    return fetch


def tile_path(level: int | str, number: int, width: int) -> str:
    parts = [f"{number % 1000:03}"]
    while number := number // 1000:
        parts.insert(0, f"x{number % 1000:03}")
    return f"tile/{level}/{'/'.join(parts)}{'' if width == 256 else f'.p/{width}'}"


def fetch_tile(fetch: Fetch, level: int | str, number: int, width: int) -> bytes:
    """A partial tile may have grown into the full one since the checkpoint."""
    try:
        return fetch(tile_path(level, number, width))
    except DoesNotHold:
        if width == 256:
            raise
        return fetch(tile_path(level, number, 256))


def read_tree(fetch: Fetch, size: int) -> list[bytes]:
    """Hash every entry and compare every tile; return the hashes of each tile level, end to end."""
    levels: list[bytes] = []
    while size >> (8 * len(levels)):
        level, count = len(levels), size >> (8 * len(levels))
        rows = []
        for number in range(-(-count // 256)):
            width = min(256, count - number * 256)
            if level == 0:
                bundle = read_bundle(fetch_tile(fetch, "entries", number, width), width)
                row = b"".join(leaf_hash(entry) for entry in bundle)
            else:
                at, below = number * 256 * 8192, levels[level - 1]
                row = b"".join(
                    perfect(below[at + i * 8192 : at + i * 8192 + 8192]) for i in range(width)
                )
            if fetch_tile(fetch, level, number, width)[: width * 32] != row:
                raise DoesNotHold(f"文件 {tile_path(level, number, width)} 与它下面的内容不符")
            rows.append(row)
        levels.append(b"".join(rows))
    return levels


def read_bundle(raw: bytes, width: int) -> list[bytes]:
    entries, at = [], 0
    while at < len(raw):
        end = at + 2 + int.from_bytes(raw[at : at + 2], "big")
        entries.append(raw[at + 2 : end])
        at = end
    if at != len(raw) or len(entries) < width:
        raise DoesNotHold("条目文件的条数或长度不对")
    return entries[:width]


def root_at(size: int, levels: Sequence[bytes]) -> bytes:
    """The root over the first ``size`` entries: its perfect subtrees, folded from the right."""
    if size == 0:
        return sha256(b"").digest()
    parts, begin = [], 0
    for height in range(size.bit_length() - 1, -1, -1):
        if size >> height & 1:
            level, rest = divmod(height, 8)
            at = (begin >> (8 * level)) * 32
            parts.append(perfect(levels[level][at : at + (32 << rest)]))
            begin += 1 << height
    root = parts.pop()
    while parts:
        root = node_hash(parts.pop(), root)
    return root


def check_log(source: str, keys: Keys, quorum: int, known: Path | None, is_witness: bool) -> str:
    """Check every entry and, against ``known``, that the log begins with what it was then."""
    fetch, said = fetcher(source), ""
    note = fetch("checkpoint").decode()
    origin, size, root = read_checkpoint(note, keys, quorum)
    levels = read_tree(fetch, size)
    if root_at(size, levels) != root:
        raise DoesNotHold("全部条目算出的根散列与检查点不符")
    if known is not None and (known.exists() or not is_witness):
        before, old, old_root = read_checkpoint(known.read_text("utf-8"), keys)
        if before != origin or old > size:
            raise DoesNotHold(f"以前见过 {old} 条，现在只有 {size} 条，或换了日志：历史被回退")
        if root_at(old, levels) != old_root:
            raise DoesNotHold(f"前 {old} 条与以前所见不同：历史被改过，或有两份日志")
        said = f"，与以前所见的 {old:,} 条前后一致"
    if known is not None and is_witness:
        new = known.with_name(known.name + ".new")
        new.write_text(note, "utf-8")
        new.replace(known)
    return f"日志完好：{origin} 共 {size:,} 条{said}。"


def check_receipt(text: str, read: Read, opening: str | None, commitment: str | None) -> str:
    head, _, note = text.partition("\n\n")
    lines = head.split("\n")
    extra = lines.pop(1)[6:] if len(lines) > 2 and lines[1].startswith("extra ") else ""
    index = lines[1].removeprefix("index ") if len(lines) > 1 else ""
    if lines[0] != "c2sp.org/tlog-proof@v1" or not NUMBER.fullmatch(index):
        raise DoesNotHold("不是存在证明文件（c2sp.org/tlog-proof@v1）")
    origin, size, root = read(note)
    entry, told = decode_hash(extra), ""
    if commitment is not None and bytes.fromhex(commitment) != entry:
        raise DoesNotHold("这份证明不是您回执上那个承诺值的")
    if opening is not None:
        held = json.loads(opening)
        salted = bytes.fromhex(held["salt"]) + held["record"].encode()
        if sha256(DOMAIN + salted).digest() != entry:
            raise DoesNotHold("事件内容与日志里的承诺值不符：内容被改过")
        told = f"\n事件内容：{held['record']}"
    check_inclusion(int(index), size, leaf_hash(entry), [decode_hash(x) for x in lines[2:]], root)
    return f"证明成立：承诺值 {entry.hex()} 是 {origin} 的第 {index} 条（共 {size:,} 条）。{told}"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="核验审计日志。不需要登录，也不需要相信运营方。")
    verbs = parser.add_subparsers(dest="verb", required=True)
    log = verbs.add_parser("log", help="核验整个日志")
    log.add_argument("source", help="日志的目录或网址")
    log.add_argument("--witness", type=Path, help="见证文件：记住上次所见，存放在自己手里")
    receipt = verbs.add_parser("receipt", help="核验一份存在证明")
    receipt.add_argument("file", type=Path)
    receipt.add_argument("--opening", type=Path, help="事件内容（salt 与 record 的 JSON）")
    receipt.add_argument("--commitment", help="回执上的承诺值")
    checkpoint = verbs.add_parser("checkpoint", help="核验一个检查点的签名")
    checkpoint.add_argument("file", type=Path)
    two = verbs.add_parser("consistency", help="核验现在的日志以过去的检查点开头")
    two.add_argument("old", type=Path, help="过去保存的检查点")
    two.add_argument("source", help="日志的目录或网址")
    for verb in (log, receipt, checkpoint, two):
        verb.add_argument("--keys", type=Path, required=True, help="日志的公钥，从可信的地方取得")
        verb.add_argument("--witnesses", type=Path, help="见证人的公钥，从见证人那里取得")
        verb.add_argument("--quorum", type=int, help="要几个见证人签名；不写：全部")
    given = parser.parse_args(arguments)
    try:
        keys = read_keys(given.keys.read_text("utf-8"))
        others = read_keys(given.witnesses.read_text("utf-8")) if given.witnesses else {}
        quorum = len(others) if given.quorum is None else given.quorum
        keys |= {name: key for name, key in others.items() if key[0] == WITNESS}
        read = partial(read_checkpoint, keys=keys, quorum=quorum)
        if given.verb == "log":
            said = check_log(given.source, keys, quorum, given.witness, is_witness=True)
        elif given.verb == "receipt":
            opening = given.opening.read_text("utf-8") if given.opening else None
            said = check_receipt(given.file.read_text("utf-8"), read, opening, given.commitment)
        elif given.verb == "checkpoint":
            said = "签名成立：{} 共 {} 条。".format(*read(given.file.read_text("utf-8")))
        else:
            said = check_log(given.source, keys, quorum, given.old, is_witness=False)
    except (DoesNotHold, OSError, ValueError, KeyError) as error:
        print(f"不成立：{error}")
        return 1
    print(said)
    return 0


if __name__ == "__main__":
    sys.exit(main())
