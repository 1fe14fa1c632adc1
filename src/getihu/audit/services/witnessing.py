"""Asking witnesses under other administrators for their signature: c2sp.org/tlog-witness.

A witness keeps the newest tree it signed and refuses a smaller one and one that does not begin with
it. So an old backup that goes on, or a fork signed with the stolen key, gets no signature.
"""

import base64
import re
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.conf import settings

from getihu.audit import selectors
from getihu.audit.contracts import Checkpoint
from getihu.audit.tlog import merkle, note
from getihu.audit.tlog.tiles import TileFolder
from getihu.kernel.errors import GetihuError

COSIGNER: Final = b"\x04"
TIMEOUT: Final = 5  # seconds for one witness
LARGEST_ANSWER: Final = 16 * 1024
_SIZE: Final = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)


class WitnessMissing(GetihuError):
    """Too few witnesses answered, so nothing was published; events wait."""

    exit_code = 3


class WitnessRefused(GetihuError):
    """A witness saw another history of this log: an old backup, or a fork."""

    exit_code = 4


class WitnessUnknown(GetihuError):
    """The settings name a witness in a way that cannot be read."""


@dataclass(frozen=True)
class Witness:
    """One witness as the settings name it."""

    url: str
    name: str
    key_id: bytes
    key: Ed25519PublicKey

    def signed(self, text: str, signatures: Sequence[note.Signature]) -> str:
        """Its line over a checkpoint's text; empty when none of the signatures holds."""
        for each in signatures:
            if (each.name, each.key_id) != (self.name, self.key_id) or len(each.signature) != 72:
                continue
            at = int.from_bytes(each.signature[:8], "big")
            try:
                told = f"cosignature/v1\ntime {at}\n{text}".encode()
                self.key.verify(each.signature[8:], told)
            except InvalidSignature:
                continue
            raw = base64.b64encode(each.key_id + each.signature).decode()
            return f"{note.DASH}{each.name} {raw}\n"
        return ""


def witnesses() -> list[Witness]:
    """The witnesses of the settings. Raises WitnessUnknown."""
    return [_witness(raw) for raw in settings.AUDIT_WITNESSES]


def _witness(raw: dict[str, str]) -> Witness:
    try:
        url, (name, id_, encoded) = raw["url"].rstrip("/"), raw["key"].split("+", 2)
        typed = base64.b64decode(encoded, validate=True)
        if typed[:1] != COSIGNER or note.verifier_key(name, typed) != raw["key"]:
            raise ValueError
        return Witness(url, name, bytes.fromhex(id_), Ed25519PublicKey.from_public_bytes(typed[1:]))
    except (KeyError, ValueError, TypeError, AttributeError):
        raise WitnessUnknown(
            "GETIHU_AUDIT_WITNESSES 里有一个见证人写得不对。处理办法：写成 "
            '[{"url": "https://…", "key": "见证人打印的公钥"}]。'
        ) from None


def cosign(signed: Checkpoint, published: Checkpoint | None) -> str:
    """Return the note of a checkpoint with the lines of the witnesses that signed it. Its tiles are
    on the disk; ``published`` is the checkpoint before, whose lines tell what each has seen.

    Raises: WitnessMissing below the quorum; WitnessRefused when one saw another history and the
    others are not a quorum of at least one without it. Then nothing is to be published.
    """
    text, _ = note.parse(signed.note)
    lines, refusals, missing = "", [], []
    for witness in witnesses():
        try:
            lines += _ask(witness, signed, text, published)
        except WitnessRefused as error:
            refusals.append(str(error))
        except (OSError, GetihuError):
            missing.append(witness.name)
    count, quorum = lines.count("\n"), settings.AUDIT_WITNESS_QUORUM
    if refusals and count < max(quorum, 1):
        raise WitnessRefused(
            f"{'；'.join(refusals)}。处理办法：停用，不要继续写；找回缺少的事件，或从更新的备份恢复，"
            "并请审计机构和见证人核查。"
        )
    if count < quorum:
        raise WitnessMissing(
            f"要 {quorum} 个见证人签名，只有 {count} 个（没有答复：{'、'.join(missing) or '无'}）。"
            "处理办法：检查见证人的服务和网络；检查点等它们恢复后发布，事件不会丢。"
        )
    return signed.note + lines


def _ask(witness: Witness, signed: Checkpoint, text: str, published: Checkpoint | None) -> str:
    old = _seen(witness, published)
    status, answer = _post(witness, old, signed)
    if status == 409 and _SIZE.fullmatch(answer.strip()):
        old = int(answer)
        if old > signed.size:
            raise WitnessRefused(f"{witness.name} 签过 {old} 条，现在只有 {signed.size} 条")
        status, answer = _post(witness, old, signed)
    if status in (409, 422):
        raise WitnessRefused(f"{witness.name} 见过的前 {old} 条与现在的不同")
    if status != 200:
        raise WitnessMissing(witness.name)
    line = witness.signed(text, note.parse(f"{text}\n{answer}")[1])
    if not line:
        raise WitnessMissing(witness.name)
    return line


def _seen(witness: Witness, published: Checkpoint | None) -> int:
    """What a witness signed last, as far as we know; it says so itself where it was more."""
    if published is None:
        return 0
    text, signatures = note.parse(published.note)
    return published.size if witness.signed(text, signatures) else 0


def _post(witness: Witness, old: int, signed: Checkpoint) -> tuple[int, str]:
    proof: list[bytes] = []
    if 0 < old < signed.size:
        subtree = TileFolder(selectors.log_folder()).subtree(signed.size)
        proof = merkle.consistency_path(old, signed.size, subtree)
    lines = [f"old {old}", *(base64.b64encode(step).decode() for step in proof)]
    body = ("\n".join(lines) + "\n\n" + signed.note).encode()
    request = urllib.request.Request(f"{witness.url}/add-checkpoint", data=body, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
            return answer.status, answer.read(LARGEST_ANSWER).decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read(LARGEST_ANSWER).decode()
