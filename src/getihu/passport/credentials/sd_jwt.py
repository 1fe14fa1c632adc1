"""Licences as SD-JWT VC (RFC 9901): issued, cut down to what is shown, presented, checked."""

import base64
import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from openvc.errors import OpenvcError
from openvc.proof.sd_jwt import SdJwtVcProofSuite
from openvc.status import build_token_status_reference

from getihu.kernel.errors import GetihuError
from getihu.passport.ports import Signer

VCT = "urn:getihu:certificate:"
# Everybody who gets a certificate sees these; all else is shown only when chosen.
ALWAYS = ("trader_code", "kind")
_SUITE = SdJwtVcProofSuite(leeway_s=300)


class BadCredential(GetihuError):
    """The text is no certificate of ours: forged, changed, for somebody else, or out of its time."""


@dataclass(frozen=True)
class Read:
    """A certificate whose signature holds. ``data``: what is shown; ``status_uri`` and
    ``status_index`` say where its status is told."""

    id: str
    kind: str
    issuer: str
    key_id: str
    data: dict[str, Any]
    status_uri: str
    status_index: int
    is_bound: bool


def issue(
    kind: str,
    data: Mapping[str, Any],
    *,
    id: str,
    issuer: str,
    signer: Signer,
    holder_jwk: dict[str, Any],
    status_uri: str,
    status_index: int,
    at: datetime,
) -> str:
    """One certificate; every item of ``data`` but ALWAYS can be kept back when it is shown."""
    reference = build_token_status_reference(uri=status_uri, index=status_index)
    claims = {
        "iss": issuer,
        "jti": id,
        "iat": int(at.timestamp()),
        "kind": kind,
        **data,
        **reference,
    }
    hidden = [name for name in data if name not in ALWAYS]
    return _SUITE.issue(
        claims, signing_key=signer, disclosable=hidden, holder_jwk=holder_jwk, vct=VCT + kind
    )


def check(
    text: str,
    *,
    keys: Mapping[str, dict[str, Any]],
    issuer: str,
    at: datetime,
    audience: str | None = None,
    nonce: str | None = None,
) -> Read:
    """Read a certificate or the presentation of one. With ``audience`` and ``nonce`` its holder
    must have answered just this question. Raises BadCredential, never anything else."""
    try:
        key_id = str(_header(text).get("kid", ""))
        jwk = keys.get(key_id)
        if jwk is None:
            raise BadCredential("签发用的密钥不是登记机关现在认可的。")
        found = _SUITE.verify(
            text,
            public_key_jwk=jwk,
            audience=audience,
            nonce=nonce,
            require_key_binding=audience is not None,
            now=at,
        )
        if found.issuer != issuer or not str(found.vct).startswith(VCT):
            raise BadCredential("不是这个登记机关签发的证照。")
        status = found.claims["status"]["status_list"]
        data = {k: v for k, v in found.claims.items() if k not in _ENVELOPE}
        return Read(
            id=str(found.claims["jti"]),
            kind=str(found.vct)[len(VCT) :],
            issuer=found.issuer,
            key_id=key_id,
            data=data,
            status_uri=str(status["uri"]),
            status_index=int(status["idx"]),
            is_bound=found.key_bound,
        )
    except BadCredential:
        raise
    except (OpenvcError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise BadCredential("证照的签名不对，或者内容改动过。") from error


_ENVELOPE = ("iss", "jti", "iat", "exp", "nbf", "vct", "cnf", "status", "_sd_alg")


def show_only(text: str, names: Collection[str]) -> str:
    """The same certificate with only these items to be read."""
    parts = text.split("~")
    kept = [part for part in parts[1:] if part and _name_of(part) in names]
    return "~".join([parts[0], *kept, ""])


def present(
    text: str, names: Collection[str], *, holder: Signer, audience: str, nonce: str, at: datetime
) -> str:
    """What the holder answers a verifier: only these items, bound to this question. The key
    binding (RFC 9901 section 4.3) is put together here because the library dates it itself."""
    cut = show_only(text, names)
    bound = {
        "iat": int(at.timestamp()),
        "aud": audience,
        "nonce": nonce,
        "sd_hash": _text(hashlib.sha256(cut.encode("ascii")).digest()),
    }
    head = {"typ": "kb+jwt", "alg": holder.alg}
    signed = ".".join(_text(json.dumps(part).encode()) for part in (head, bound))
    return f"{cut}{signed}.{_text(holder.sign(signed.encode()))}"


def _name_of(disclosure: str) -> str:
    return str(json.loads(_bytes(disclosure))[1])


def _header(text: str) -> dict[str, Any]:
    header = json.loads(_bytes(text.split(".", 1)[0]))
    if not isinstance(header, dict):
        raise ValueError("no header")
    return header


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _bytes(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
