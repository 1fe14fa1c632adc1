"""The virus scanner ClamAV, asked through its daemon (``clamd``); named by ``GETIHU_CLAMD``."""

from io import BytesIO

from clamav_client.clamd import (
    BufferTooLongError,
    ClamdNetworkSocket,
    ClamdUnixSocket,
    CommunicationError,
)
from django.conf import settings

from getihu.cases.ports import Finding, ScannerUnavailable, look_for_active_content

_NAME = "clamav"
_SECONDS = 30


def scan(content: bytes) -> Finding:
    """What ClamAV says of a file, after what no scanner should have to: active content.

    Raises ScannerUnavailable when the daemon is not there, is too slow, or did not look at the
    whole file. The name of what it found goes into the refusal, never a part of the file.
    """
    finding = look_for_active_content(content)
    if finding.refused:
        return finding
    try:
        answers = _daemon(settings.CLAMD_ADDRESS).instream(BytesIO(content))
    except (CommunicationError, BufferTooLongError, OSError) as error:
        raise ScannerUnavailable(f"clamd: {type(error).__name__}") from error
    status, found = answers.get("stream", ("ERROR", ""))
    if status == "OK":
        return Finding(_NAME)
    if status == "FOUND":
        return Finding(_NAME, f"文件里有病毒（{found}）")
    raise ScannerUnavailable(f"clamd: {status}")


def _daemon(address: str) -> ClamdNetworkSocket | ClamdUnixSocket:
    """A socket file, or host:port."""
    host, colon, port = address.rpartition(":")
    if colon and port.isdigit():
        return ClamdNetworkSocket(host=host, port=int(port), timeout=_SECONDS)
    return ClamdUnixSocket(path=address, timeout=_SECONDS)
