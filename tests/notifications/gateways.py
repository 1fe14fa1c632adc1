"""Real servers on this machine for carriers to talk to, and what they were told."""

import json
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import aiosmtpd.controller


@dataclass
class Received:
    """What came in. ``answers`` are given one after the other, the last one for ever."""

    answers: list[tuple[int, bytes]]
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    url: str = ""

    def next_answer(self) -> tuple[int, bytes]:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@contextmanager
def http_server(*answers: tuple[int, bytes]):
    received = Received(list(answers))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            received.requests.append(({k.lower(): v for k, v in self.headers.items()}, body))
            status, answer = received.next_answer()
            self.send_response(status)
            if status in (301, 302, 307, 308):
                self.send_header("Location", f"{received.url}elsewhere")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        do_GET = do_POST  # a POST that follows a redirect comes as a GET

        def log_message(self, *_):
            """Nothing: the test looks at what was received."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    received.url = f"http://127.0.0.1:{server.server_address[1]}/"
    try:
        yield received
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class SmsGateway:
    """A gateway that keeps our form: refuses what is no number, honours the key."""

    def __init__(self):
        self.sent: dict[str, str] = {}
        self.down = False

    def answer(self, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        if self.down:
            return 503, b""
        if headers.get("authorization") != "Bearer token":
            return 401, b""
        told = json.loads(body)
        if not told["to"].isdigit():
            return 422, b'{"error": "no such number"}'
        self.sent[told["key"]] = told["text"]
        return 200, json.dumps({"number": f"g-{told['key']}"}).encode()


@contextmanager
def sms_gateway():
    gateway = SmsGateway()
    with http_server((200, b"")) as received:
        received.next_answer = lambda: gateway.answer(*received.requests[-1])
        gateway.url = received.url
        yield gateway


class Mailbox:
    """A mail server's handler: keeps what it takes."""

    def __init__(self):
        self.messages: list[tuple[list[str], bytes]] = []
        self.answer = ""

    async def handle_RCPT(self, server, session, envelope, address, options):
        if self.answer or address.startswith("nobody"):
            return self.answer or "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        self.messages.append((envelope.rcpt_tos, envelope.content))
        return "250 OK"


@contextmanager
def mail_server():
    mailbox = Mailbox()
    controller = aiosmtpd.controller.Controller(mailbox, hostname="127.0.0.1", port=0)
    controller.port = _free_port()
    controller.start()
    mailbox.port = controller.port
    try:
        yield mailbox
    finally:
        controller.stop()


def _free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
