"""Signed messages to other systems, in the form of Standard Webhooks: id, timestamp, signature."""

import base64
import re
from dataclasses import dataclass
from datetime import UTC, datetime

from django.conf import settings
from standardwebhooks import Webhook

from getihu.kernel.errors import GetihuError
from getihu.notifications.carriers.http import is_safe, post
from getihu.notifications.contracts import EVENT_TYPES
from getihu.notifications.ports import PermanentFailure, TemporaryFailure

SHORTEST_SECRET, LONGEST_SECRET = 24, 64  # bytes, as Standard Webhooks recommends
GONE = 410


class BadEndpoint(GetihuError):
    """A webhook endpoint in the settings that cannot be used."""


@dataclass(frozen=True)
class Endpoint:
    """A system that wants events of some types; all of them with ``*``."""

    name: str
    url: str
    secret: str
    types: tuple[str, ...]

    def wants(self, type_: str) -> bool:
        return "*" in self.types or type_ in self.types


def endpoints() -> dict[str, Endpoint]:
    """The endpoints of the settings by name. Raises BadEndpoint, which never repeats a secret."""
    found: dict[str, Endpoint] = {}
    for raw in settings.WEBHOOK_ENDPOINTS:
        endpoint = _read(raw)
        if endpoint.name in found:
            raise BadEndpoint(f"webhook“{endpoint.name}”写了两次。处理办法：换一个名字。")
        found[endpoint.name] = endpoint
    return found


def _read(raw: object) -> Endpoint:
    if not isinstance(raw, dict) or set(raw) != {"name", "url", "secret", "types"}:
        raise BadEndpoint("webhook 要写 name、url、secret、types 四项。")
    name = str(raw["name"])
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,39}", name):
        raise BadEndpoint("webhook 的 name 用小写字母、数字和连字符。")
    if not is_safe(str(raw["url"])):
        raise BadEndpoint(f"webhook“{name}”的地址要以 https:// 开头。")
    types = tuple(raw["types"])
    if unknown := sorted(set(types) - set(EVENT_TYPES) - {"*"}):
        raise BadEndpoint(f"webhook“{name}”：没有事件 {'、'.join(unknown)}。")
    if not types:
        raise BadEndpoint(f"webhook“{name}”没有写要哪些事件（types）。")
    endpoint = Endpoint(name, str(raw["url"]), str(raw["secret"]), types)
    if not SHORTEST_SECRET <= _length(endpoint.secret) <= LONGEST_SECRET:
        raise BadEndpoint(
            f"webhook“{name}”的 secret 要写 whsec_ 加 {SHORTEST_SECRET} 到 {LONGEST_SECRET} 字节的 "
            "base64。"
        )
    return endpoint


def _length(secret: str) -> int:
    """How many bytes a secret has; none for one that cannot be read."""
    prefix, _, text = secret.partition("whsec_")
    try:
        return 0 if prefix else len(base64.b64decode(text, validate=True))
    except ValueError:
        return 0


def _signer(endpoint: Endpoint) -> Webhook:
    return Webhook(endpoint.secret)


def send_signed(
    endpoint: Endpoint, message_id: str, body: bytes, content_type: str, at: datetime
) -> int:
    """Hand over one message; returns the status. The same ``message_id`` at every attempt.

    Raises PermanentFailure for 410 (the endpoint is gone), TemporaryFailure for all but 2xx.
    """
    moment = at.astimezone(UTC)  # the library takes the digits for UTC whatever the zone
    status, _ = post(
        endpoint.url,
        body,
        {
            "Content-Type": content_type,
            "webhook-id": message_id,
            "webhook-timestamp": str(int(moment.timestamp())),
            "webhook-signature": _signer(endpoint).sign(message_id, moment, body.decode()),
        },
    )
    if status == GONE:
        raise PermanentFailure("对方说不再收（410）")
    if not 200 <= status < 300:
        raise TemporaryFailure(f"对方回答 {status}")
    return status
