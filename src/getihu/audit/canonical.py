"""One text for one event, and the commitment to it.

Canonical: JSON in ASCII on one line, keys sorted, no blanks, moments in UTC with microseconds,
amounts as text. Whatever a field holds (line ends, terminal codes, direction marks, quotes) is
escaped, so no field can look like another record.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final

from getihu.kernel.errors import GetihuError

DOMAIN: Final = b"getihu.audit/v1\n"
SALT_BYTES: Final = 32
LARGEST_INTEGER: Final = 2**53 - 1  # beyond it, other languages' JSON rounds

KIND: Final = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+", re.ASCII)
REFERENCE: Final = re.compile(r"[a-z][a-z0-9_]{0,62}:[A-Za-z0-9][A-Za-z0-9._:/-]{0,79}", re.ASCII)
_RESIDENT_ID: Final = re.compile(
    r"(?<![0-9A-Za-z])([1-8][0-9]{5}(?:19|20)[0-9]{2}"
    r"(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[0-9]{3}[0-9Xx])(?![0-9A-Za-z])"
)
_MOBILE: Final = re.compile(r"(?<![0-9A-Za-z])1[3-9][0-9]{9}(?![0-9A-Za-z])")
_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


class InvalidEvent(GetihuError):
    """An event that cannot be told in one way only."""


class PersonalInClear(InvalidEvent):
    """An identity number or a mobile number stands outside the personal part."""


def canonical_json(value: Mapping[str, Any]) -> bytes:
    """Return the one text of a value.

    Raises: InvalidEvent for floats, large integers, moments without a zone, broken text.

    >>> canonical_json({"b": "甲\\n", "a": [True, None, 1]})
    b'{"a":[true,null,1],"b":"\\\\u7532\\\\n"}'
    """
    plain = _plain(value, "body")
    return json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def commitment(salt: bytes, record: bytes) -> bytes:
    """Return the salted commitment to a record: what the log publishes in its place."""
    return hashlib.sha256(DOMAIN + salt + record).digest()


def moment_text(at: datetime) -> str:
    """Return a moment as every record writes it. Raises InvalidEvent without a zone.

    >>> moment_text(datetime(2026, 11, 6, 8, tzinfo=UTC))
    '2026-11-06T08:00:00.000000Z'
    """
    if at.tzinfo is None:
        raise InvalidEvent("事件的时刻没有时区。处理办法：传入带时区的时刻。")
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def check_reference(text: str, field: str) -> None:
    if not REFERENCE.fullmatch(text):
        raise InvalidEvent(
            f"{field} 不是“类别:编号”形式的引用。处理办法：写成 case:2026-000123 这样。"
        )
    check_no_person(text, field)


def check_no_person(text: str, field: str) -> None:
    """Refuse text that holds a resident identity number or a mobile number."""
    if _MOBILE.search(text) or any(_is_resident_id(m) for m in _RESIDENT_ID.findall(text)):
        raise PersonalInClear(
            f"{field} 里有身份证号或手机号，不能明文写进审计日志。处理办法：放进 personal 部分。"
        )


def _is_resident_id(text: str) -> bool:
    total = sum(int(c) * w for c, w in zip(text[:17], _WEIGHTS, strict=True))
    return "10X98765432"[total % 11] == text[17].upper()


def check_body(value: Any, field: str = "body") -> None:
    """Refuse personal numbers in any text of a body, keys included."""
    if isinstance(value, str):
        check_no_person(value, field)
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            check_no_person(str(key), field)
            check_body(inner, f"{field}.{key}")
    elif isinstance(value, list | tuple):
        for inner in value:
            check_body(inner, field)


def _plain(value: Any, field: str) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        if abs(value) > LARGEST_INTEGER:
            raise InvalidEvent(f"{field} 的整数太大。处理办法：写成文字。")
        return int(value)
    if isinstance(value, str):
        return _text(value, field)
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise InvalidEvent(f"{field} 不是数。处理办法：缺数据时写 None。")
        return format(value, "f")
    if isinstance(value, datetime):
        return moment_text(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        if not all(isinstance(key, str) for key in value):
            raise InvalidEvent(f"{field} 的键必须是文字。")
        return {_text(k, field): _plain(v, f"{field}.{k}") for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner, field) for inner in value]
    raise InvalidEvent(
        f"{field} 是 {type(value).__name__}，没有唯一写法。处理办法：换成整数、文字或 Decimal。"
    )


def _text(value: str, field: str) -> str:
    text = str(value)  # an enum's own value
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InvalidEvent(
            f"{field} 含有半个字符（孤立代理项）。处理办法：先解码成正常文字。"
        ) from None
    return text
