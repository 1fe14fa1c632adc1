"""A licence with two signatures: SD-JWT in the JSON form of JWS (RFC 9901 section 8), ES256 as
everywhere and SM2 with SM3 beside it. Both must hold."""

import base64
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from getihu.kernel import sm2
from getihu.passport.credentials import sd_jwt
from getihu.passport.credentials.sd_jwt import BadCredential, Read
from getihu.passport.ports import Signer

_ALG = "SM2-SM3"
LONGEST = 20_000  # characters; more than a licence of ours ever has


def make(text: str, *, companion: Signer) -> str:
    """The JSON form of a certificate, signed once more by the companion over the same payload."""
    issued, *disclosures = text.rstrip("~").split("~")
    protected, payload, signature = issued.split(".")
    head = {"alg": companion.alg, "kid": companion.kid, "typ": "dc+sd-jwt"}
    beside = _text(json.dumps(head).encode())
    signatures = [
        {
            "protected": protected,
            "signature": signature,
            "header": {"disclosures": disclosures},
        },
        {
            "protected": beside,
            "signature": _text(companion.sign(f"{beside}.{payload}".encode())),
        },
    ]
    return json.dumps({"payload": payload, "signatures": signatures})


def check(
    text: str,
    *,
    keys: Mapping[str, dict[str, Any]],
    companions: Mapping[str, dict[str, Any]],
    issuer: str,
    at: datetime,
) -> Read:
    """Read it when both signatures hold. Raises BadCredential, never anything else."""
    try:
        if len(text) > LONGEST:
            raise BadCredential("不是登记机关签发的证照。")
        told = json.loads(text)
        payload, (first, second) = told["payload"], told["signatures"]
        parts = [f"{first['protected']}.{payload}.{first['signature']}"]
        parts += first["header"]["disclosures"]
        read = sd_jwt.check("~".join([*parts, ""]), keys=keys, issuer=issuer, at=at)
        head = json.loads(_bytes(second["protected"]))
        key = companions.get(head["kid"]) if head["alg"] == _ALG else None
        if key is None:
            raise BadCredential("国密签名用的密钥不是登记机关现在认可的。")
        signed = f"{second['protected']}.{payload}".encode()
        point = _bytes(key["x"]) + _bytes(key["y"])
        if not sm2.verify(signed, _bytes(second["signature"]), point):
            raise BadCredential("国密签名不对。")
        return read
    except BadCredential:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BadCredential("证照的格式不对，或者内容改动过。") from error


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _bytes(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
