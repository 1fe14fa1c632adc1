"""Every treasury keeps the same contract: each number once, whatever is lost, doubled or late."""

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from datetime import date, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from getihu.gateways.treasury import FileTreasury, HttpTreasury, batch_file
from getihu.gateways.treasury_fake import FakeTreasury
from getihu.policies.ports import (
    PaymentBatch,
    PaymentOrder,
    PaymentResult,
    TreasuryRefused,
    TreasuryUnreachable,
)

DAY = date(2026, 11, 9)
SECRET = "for tests only"


def batch(*cents: int, name: str = "b1") -> PaymentBatch:
    orders = tuple(
        PaymentOrder(f"{name}-{n}", each, "示例店", "示例银行", f"6200000{n:04}", "补助")
        for n, each in enumerate(cents)
    )
    return PaymentBatch(name, orders, sum(cents), "0" * 64)


class Files:
    """The file form, with the fake working through the folder each night."""

    def __init__(self, folder, **how) -> None:
        self.folder, self.bank = folder, FakeTreasury(folder / "bank", **how)
        self.treasury = FileTreasury(folder)

    def night(self, day: date) -> None:
        self.bank.work_through(self.folder, day)


class Server:
    """The HTTP form, with the fake behind a small server that loses answers when told."""

    def __init__(self, folder, **how) -> None:
        self.bank = FakeTreasury(folder / "bank", **how)
        self.lost = 0  # answers still to lose, after the work was done
        self.day = DAY
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_PUT(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if not outer.is_signed("PUT", self.path, body, self.headers["X-Signature"]):
                    return self.answer(401, {"why": "签名不对"})
                told = json.loads(body)
                why = outer.bank.take(told["batch_id"], told["orders"], outer.day)
                if outer.lost:
                    outer.lost -= 1
                    self.close_connection = True
                    return self.connection.close()
                return self.answer(409, {"why": why}) if why else self.answer(200, {})

            def do_GET(self) -> None:
                day = date.fromisoformat(self.path.rpartition("/")[2])
                self.answer(200, {"lines": outer.bank.lines(day)})

            def answer(self, status: int, told: object) -> None:
                content = json.dumps(told).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{self.server.server_port}"
        self.treasury = HttpTreasury(url, "k", SECRET)

    def is_signed(self, method: str, path: str, body: bytes, signature: str) -> bool:
        text = f"{method}\n{path}\n".encode() + hashlib.sha256(body).hexdigest().encode()
        return hmac.compare_digest(signature, hmac.new(SECRET.encode(), text, "sha256").hexdigest())

    def night(self, day: date) -> None:
        self.day = day


@pytest.fixture(params=[Files, Server], ids=["files", "http"])
def place(request, tmp_path) -> Iterator[Files | Server]:
    made = request.param(tmp_path, returned=frozenset({"b1-1"}), doubled=0.5, late=0.3, seed=3)
    yield made
    if isinstance(made, Server):
        made.server.shutdown()
        made.server.server_close()


def lines(place, first: date, days: int) -> list:
    found = []
    for n in range(days):
        place.night(first + timedelta(days=n))
        found += place.treasury.statement(first + timedelta(days=n))
    return found


def test_each_order_is_paid_once_however_often_it_is_sent(place):
    sent = batch(*range(100, 140))
    for _ in range(3):
        place.treasury.submit(sent)
    found = lines(place, DAY, 3)
    place.treasury.submit(sent)
    found += lines(place, DAY + timedelta(days=3), 2)
    by_id = {line.line_id: line for line in found}
    assert len(found) > len(by_id) == 40  # some lines came twice, some late, each order once
    assert sum(line.cents for line in by_id.values()) == sent.cents
    (returned,) = [each for each in by_id.values() if each.result is PaymentResult.RETURNED]
    assert (returned.order_id, bool(returned.why)) == ("b1-1", True)
    assert len(place.bank.paid) == 39


def test_another_sum_under_a_known_number_is_refused(place):
    place.treasury.submit(batch(100, 200))
    place.night(DAY)
    with pytest.raises(TreasuryRefused):
        place.treasury.submit(batch(100, 300))
    assert place.bank.paid == {"b1-0": 100}  # b1-1 comes back from the bank


def test_a_lost_answer_is_unreachable_and_sending_again_pays_nothing_twice(tmp_path):
    place = Server(tmp_path)
    place.lost = 1
    with pytest.raises(TreasuryUnreachable):
        place.treasury.submit(batch(100, 200))
    place.treasury.submit(batch(100, 200))
    assert sum(place.bank.paid.values()) == 300
    place.server.shutdown()
    place.server.server_close()
    with pytest.raises(TreasuryUnreachable):
        place.treasury.statement(DAY)


def test_a_file_cut_off_is_not_worked_through(tmp_path):
    place = Files(tmp_path)
    whole = batch_file(batch(100, 200, 300))
    target = tmp_path / "out" / "b1.csv"
    target.parent.mkdir()
    target.write_bytes(whole[: len(whole) * 2 // 3])
    assert place.bank.work_through(tmp_path, DAY) == 0
    assert place.bank.paid == {}


def test_a_statement_nobody_can_read_is_taken_not_at_all(tmp_path):
    place = Files(tmp_path)
    (tmp_path / "in").mkdir()
    path = tmp_path / "in" / f"{DAY}.csv"
    path.write_text("line_id,order_id,result,cents,on,why\n1,o,paid,1,2026-11-09,\n2,o,paid,x,y,\n")
    with pytest.raises(TreasuryUnreachable, match="整份没有收"):
        place.treasury.statement(DAY)
