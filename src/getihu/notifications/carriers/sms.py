"""Short messages through a gateway over HTTP.

The form is our own (本项目设定，非官方) until a city names its gateway: POST of
``{"key", "to", "text"}`` as JSON with a bearer token; 200 with ``{"number"}`` takes it, 400, 404 and
422 refuse it for good, everything else is tried again. A gateway that gets the same key twice sends
once.
"""

import json

from django.conf import settings

from getihu.notifications.carriers.http import post
from getihu.notifications.ports import Outgoing, PermanentFailure, TemporaryFailure

REFUSED = (400, 404, 422)


class HttpSms:
    """The gateway of ``settings.SMS_GATEWAY`` (url, token)."""

    name = "sms-gateway"

    def send(self, message: Outgoing) -> str:
        gateway = settings.SMS_GATEWAY
        told = {"key": message.key, "to": message.address, "text": message.text}
        status, answer = post(
            gateway["url"],
            json.dumps(told, ensure_ascii=False).encode(),
            {
                "Content-Type": "application/json; charset=utf-8",
                "Authorization": f"Bearer {gateway['token']}",
                "Idempotency-Key": message.key,
            },
        )
        if status in REFUSED:
            raise PermanentFailure(f"短信网关回答 {status}")
        if status != 200:
            raise TemporaryFailure(f"短信网关回答 {status}")
        return _number(answer)


def _number(answer: bytes) -> str:
    """The gateway's own number. An answer nobody can read is no proof that it was taken."""
    try:
        number = json.loads(answer)["number"]
    except (ValueError, KeyError, TypeError):
        raise TemporaryFailure("短信网关的回答看不懂") from None
    return str(number)[:120]
