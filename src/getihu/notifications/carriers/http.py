"""One POST to a machine named in the settings: no redirects, seconds at most, small answers."""

from collections.abc import Mapping
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from getihu.notifications.ports import TemporaryFailure

TIMEOUT_SECONDS = 5
LARGEST_ANSWER = 64 * 1024
THIS_MACHINE = ("127.0.0.1", "localhost", "::1")


class _NoRedirect(HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        """What was signed for one address does not go to another."""
        return


_opener = build_opener(_NoRedirect)


def is_safe(url: str) -> bool:
    """Whether an address may be sent to: https, or http on this very machine."""
    parts = urlsplit(url)
    on_this_machine = parts.scheme == "http" and parts.hostname in THIS_MACHINE
    return bool(parts.hostname) and (parts.scheme == "https" or on_this_machine)


def post(url: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, bytes]:
    """Status and body of the answer, whatever the status. Raises TemporaryFailure when nobody
    answers; its text repeats neither address nor body."""
    request = Request(url, data=body, headers=dict(headers), method="POST")
    try:
        with _opener.open(request, timeout=TIMEOUT_SECONDS) as answer:
            return answer.status, answer.read(LARGEST_ANSWER)
    except HTTPError as error:
        with error:
            return error.code, error.read(LARGEST_ANSWER)
    except (OSError, HTTPException):  # URLError and time-outs are OSErrors
        raise TemporaryFailure("没有应答") from None
