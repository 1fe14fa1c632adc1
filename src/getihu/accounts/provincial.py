"""The client of the provincial login: a ticket over HTTPS, the request signed in its headers.

The headers follow the form the provincial gateway is known for (access key, date, HMAC-SHA256 over
method, path, query, key and date); field names and paths are 本项目设定，非官方 until the province's
own document is at hand.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode, urlsplit
from urllib.request import Request, urlopen

from django.conf import settings

from getihu.accounts.ports import ProvinceUnreachable, ProvincialIdentity, TicketRefused

ALGORITHM = "hmac-sha256"
REDEEM = "/sso/ticket"
TIMEOUT_SECONDS = 5
# What the province is called among the issuers of identities.
ISSUER = "province"


def is_configured() -> bool:
    return bool(settings.PROVINCE["url"] and settings.PROVINCE["sign_in"])


def from_settings() -> "HttpProvincialLogin":
    """The client of ``settings.PROVINCE``."""
    province = settings.PROVINCE
    return HttpProvincialLogin(
        province["url"], province["key"], province["secret"], lambda: datetime.now(UTC)
    )


def signature(secret: str, method: str, path: str, query: str, key: str, date: str) -> str:
    """The signature of a request, as both sides compute it."""
    text = "\n".join((method, path, query, key, date)) + "\n"
    digest = hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def signed_headers(
    secret: str, method: str, path: str, query: str, key: str, at: datetime
) -> dict[str, str]:
    """The headers that prove who asks, and when. ``at`` is in UTC."""
    date = format_datetime(at, usegmt=True)
    return {
        "X-BG-HMAC-ACCESS-KEY": key,
        "X-BG-HMAC-ALGORITHM": ALGORITHM,
        "X-BG-HMAC-SIGNATURE": signature(secret, method, path, query, key, date),
        "X-BG-DATE-TIME": date,
    }


class HttpProvincialLogin:
    """Asks the province. ``now`` gives the moment, in UTC, that goes into the signature."""

    def __init__(self, base: str, key: str, secret: str, now: Callable[[], datetime]) -> None:
        if urlsplit(base).scheme not in ("http", "https"):
            raise ValueError("省统一登录的地址要以 https:// 开头")
        self.base, self.key, self.secret, self.now = base.rstrip("/"), key, secret, now

    def redeem(self, ticket: str) -> ProvincialIdentity:
        query = urlencode({"ticket": ticket})
        path = urlsplit(self.base).path + REDEEM
        headers = signed_headers(self.secret, "GET", path, query, self.key, self.now())
        return _identity(_ask(Request(f"{self.base}{REDEEM}?{query}", headers=headers)))


def _ask(request: Request) -> Mapping[str, object]:
    """Errors never repeat the address: it carries the ticket."""
    try:
        with urlopen(request, timeout=TIMEOUT_SECONDS) as answer:
            told = json.load(answer)
    except HTTPError as error:
        code = error.code
        error.close()
        if code == 404:
            raise TicketRefused("登录凭证无效或者用过了。处理办法：重新登录。") from None
        raise ProvinceUnreachable(f"省统一登录回答 {code}。处理办法：稍后再试。") from None
    except (URLError, TimeoutError, ValueError):
        raise ProvinceUnreachable("省统一登录没有应答。处理办法：稍后再试。") from None
    if not isinstance(told, dict):
        raise ProvinceUnreachable("省统一登录的回答看不懂。处理办法：稍后再试。")
    return told


def _identity(told: Mapping[str, object]) -> ProvincialIdentity:
    subject, name = told.get("userId"), told.get("name")
    if not (isinstance(subject, str) and subject and isinstance(name, str) and name):
        raise ProvinceUnreachable("省统一登录的回答缺用户编号或姓名。处理办法：稍后再试。")
    return ProvincialIdentity(subject, name)
