"""The code for places without a network: a small signed CBOR (CWT, RFC 8392), as characters a code
holds best. It says what was true when it was made; never that it is true now."""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import base45
import cbor2
from cwt import COSE, COSEKey

from getihu.passport.credentials.sd_jwt import BadCredential
from getihu.passport.ports import Signer

PREFIX = "GT1:"
GOOD_FOR = timedelta(hours=24)  # 本项目设定，非官方
LONGEST = 2_000  # characters; more than a code of ours ever has
_ISS, _SUB, _EXP, _IAT, _CTI, _NAME = 1, 2, 4, 6, 7, -70001
_ALG, _KID, _ES256 = 1, 4, -7


@dataclass(frozen=True)
class OfflineRead:
    """What an offline code says: whose licence, which, and when it was looked up."""

    id: str
    trader_code: str
    name: str
    made_at: datetime


def make(id: str, trader_code: str, name: str, *, issuer: str, signer: Signer, at: datetime) -> str:
    """The text of the code. COSE_Sign1 is put together here because the signature comes from the
    port: the key may sit in a machine."""
    claims = {
        _ISS: issuer,
        _SUB: trader_code,
        _EXP: int((at + GOOD_FOR).timestamp()),
        _IAT: int(at.timestamp()),
        _CTI: id.encode(),
        _NAME: name,
    }
    payload, protected = cbor2.dumps(claims), cbor2.dumps({_ALG: _ES256})
    signature = signer.sign(cbor2.dumps(["Signature1", protected, b"", payload]))
    unprotected = {_KID: signer.kid.encode()}
    message = cbor2.CBORTag(18, [protected, unprotected, payload, signature])
    return PREFIX + base45.b45encode(zlib.compress(cbor2.dumps(message), 9)).decode()


def read(
    text: str, *, keys: Mapping[str, dict[str, Any]], issuer: str, at: datetime | None
) -> OfflineRead:
    """Raises BadCredential for anything that is not a code of ours within its day; ``at`` None: of
    whatever day, for who judges its age herself."""
    try:
        if not text.startswith(PREFIX) or len(text) > LONGEST:
            raise BadCredential("不是证照的离线码。")
        unpacked = zlib.decompressobj().decompress(base45.b45decode(text[4:]), 4 * LONGEST)
        known = [COSEKey.from_jwk({**jwk, "alg": "ES256", "kid": k}) for k, jwk in keys.items()]
        claims = cbor2.loads(COSE.new().decode(unpacked, known))
        if not isinstance(claims, dict) or claims[_ISS] != issuer:
            raise BadCredential("不是这个登记机关的码。")
        made_at = datetime.fromtimestamp(int(claims[_IAT]), tz=UTC)
        if at and not made_at - timedelta(minutes=5) <= at <= made_at + GOOD_FOR:
            raise BadCredential("离线码过了24小时。")
        return OfflineRead(claims[_CTI].decode(), str(claims[_SUB]), str(claims[_NAME]), made_at)
    except BadCredential:
        raise
    except Exception as error:  # whatever a stranger put into the code
        raise BadCredential("码读不懂，或者内容改动过。") from error
