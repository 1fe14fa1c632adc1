"""Every network of credit repair keeps the same contract: each number once, whatever is lost."""

import hashlib
import hmac
import json
import threading
from dataclasses import replace
from datetime import date, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from getihu.gateways.credit_repair import FolderNetwork, HttpNetwork
from getihu.gateways.credit_repair_fake import FakeRepairNetwork
from getihu.supervision.ports import (
    Network,
    NetworkRefused,
    NetworkUnreachable,
    Recognised,
    RepairRequest,
    RepairState,
)

DAY = date(2026, 11, 9)
SECRET = "for tests only"
ASKED = RepairRequest("n-1", "92330302MA2ABC001M", "温罚1号", "penalty", DAY, DAY)


class Files:
    """The file form, with the fake working through the folder each night."""

    def __init__(self, folder, **how) -> None:
        self.folder, self.fake = folder, FakeRepairNetwork(folder / "fake", **how)
        self.network = FolderNetwork(folder)

    def night(self, day: date) -> None:
        self.fake.work_through(self.folder, day)

    def close(self) -> None: ...


class Server:
    """The HTTP form, with the fake behind a small server that loses answers when told."""

    def __init__(self, folder, **how) -> None:
        self.fake, self.day, self.lost = FakeRepairNetwork(folder / "fake", **how), DAY, 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_PUT(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if not self.is_signed("PUT", body):
                    return self.answer(401, {})
                number = self.path.rpartition("/")[2]
                why = outer.fake.take(number, json.loads(body), outer.day)
                if outer.lost:
                    outer.lost -= 1
                    return self.connection.close()
                return self.answer(409, {"why": why}) if why else self.answer(200, {})

            def do_GET(self) -> None:
                found = outer.fake.answer(self.path.rpartition("/")[2], outer.day)
                self.answer(404 if found is None else 200, found or {})

            def is_signed(self, method: str, body: bytes) -> bool:
                text = (
                    f"{method}\n{self.path}\n".encode() + hashlib.sha256(body).hexdigest().encode()
                )
                good = hmac.new(SECRET.encode(), text, "sha256").hexdigest()
                return hmac.compare_digest(good, self.headers["X-Signature"])

            def answer(self, status: int, told: object) -> None:
                content = json.dumps(told).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.network = HttpNetwork(f"http://127.0.0.1:{self.server.server_port}", "k", SECRET)

    def night(self, day: date) -> None:
        self.day = day

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture(params=[Files, Server], ids=["files", "http"])
def place(request, tmp_path):
    made = request.param(tmp_path, refused=frozenset({"温罚2号"}))
    yield made
    made.close()


def test_a_number_is_taken_once_and_answered_in_time(place):
    assert place.network.answer("n-1") is None
    for _ in range(3):
        place.network.apply(ASKED)
    place.night(DAY)
    first = place.network.answer("n-1")
    assert first.state is RepairState.RECEIVED and first.receipt
    place.night(DAY + timedelta(days=3))
    done = place.network.answer("n-1")
    assert (done.state, done.receipt) == (RepairState.GRANTED, first.receipt)


def test_another_application_under_a_known_number_is_refused(place):
    place.network.apply(ASKED)
    place.night(DAY)
    with pytest.raises(NetworkRefused):
        place.network.apply(replace(ASKED, record="温罚9号"))


def test_a_conclusion_of_the_other_network_is_recognised_at_once(place):
    told = Recognised(Network.MARKET, "GSXT000001", DAY)
    place.network.apply(replace(ASKED, recognises=told))
    place.night(DAY)
    assert place.network.answer("n-1").state is RepairState.GRANTED


def test_a_refusal_says_why(place):
    place.network.apply(replace(ASKED, record="温罚2号"))
    place.night(DAY)
    place.night(DAY + timedelta(days=3))
    found = place.network.answer("n-1")
    assert found.state is RepairState.REFUSED and found.why


def test_a_lost_answer_is_unreachable_and_asking_again_takes_nothing_twice(tmp_path):
    place = Server(tmp_path)
    place.lost = 1
    with pytest.raises(NetworkUnreachable):
        place.network.apply(ASKED)
    place.network.apply(ASKED)
    assert len(place.fake._held()) == 1
    place.close()
    with pytest.raises(NetworkUnreachable):
        place.network.answer("n-1")


def test_an_answer_nobody_can_read_is_not_used(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "n-1.json").write_text('{"state": "maybe"}', "utf-8")
    with pytest.raises(NetworkUnreachable, match="没有采用"):
        FolderNetwork(tmp_path).answer("n-1")
