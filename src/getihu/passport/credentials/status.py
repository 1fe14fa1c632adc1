"""The status of certificates as a signed list (Token Status List): two bits each."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Any

from openvc.errors import OpenvcError
from openvc.status import (
    build_status_list_token,
    decode_status_list,
    get_status,
    new_status_list,
    set_status,
    verify_status_list_token,
)

from getihu.passport.credentials.sd_jwt import BadCredential
from getihu.passport.ports import Signer

LIST_SIZE = 65_536
BITS = 2
FRESH = timedelta(seconds=60)  # 本项目设定，非官方: how long a list may be kept before asking again
HOLDS = timedelta(hours=24)  # 本项目设定，非官方: after that it says nothing any more


class Status(IntEnum):
    """As the Token Status List numbers them."""

    VALID = 0
    REVOKED = 1
    SUSPENDED = 2


STATUS_LABELS = {Status.VALID: "有效", Status.REVOKED: "已经失效", Status.SUSPENDED: "歇业中"}


def build_list(statuses: Mapping[int, Status], *, uri: str, signer: Signer, at: datetime) -> str:
    """The signed list of one file: place → status; places without one are valid."""
    bits = new_status_list(LIST_SIZE, bits=BITS)
    for index, status in statuses.items():
        set_status(bits, index, int(status), bits=BITS)
    return build_status_list_token(
        signing_key=signer,
        uri=uri,
        status_list=bytes(bits),
        bits=BITS,
        issued_at=at,
        expires=at + HOLDS,
        ttl=int(FRESH.total_seconds()),
    )


def read_list(
    text: str, *, keys: Mapping[str, dict[str, Any]], uri: str, at: datetime
) -> tuple[bytes, datetime]:
    """The bits of a list and when it was signed. Raises BadCredential (forged, another list, too
    old)."""
    for jwk in keys.values():
        try:
            claims = verify_status_list_token(text, public_key_jwk=jwk, expected_uri=uri, now=at)
            made = datetime.fromtimestamp(int(claims["iat"]), tz=at.tzinfo)
            return decode_status_list(claims["status_list"]["lst"]), made
        except (OpenvcError, ValueError, KeyError, TypeError):
            continue
    raise BadCredential("状态名单的签名不对，或者已经过期。")


def status_at(bits: bytes, index: int) -> Status:
    """Raises BadCredential for a place outside the list or a value nobody uses."""
    try:
        return Status(get_status(bits, index, bits=BITS))
    except (OpenvcError, ValueError, IndexError) as error:
        raise BadCredential("状态名单里没有这一张。") from error
