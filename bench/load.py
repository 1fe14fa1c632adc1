"""How the service answers under load: a trader's page, an office's inbox and a write, on a demo city,
served as the project serves, on SQLite and on PostgreSQL; writes docs/benchmarks/load.md.

First as many requests as it takes (8 callers one after another), then an open loop: requests arrive
at a constant rate, and each is timed from the moment it was due, so that waiting counts. Caller and
server share this machine's cores.
"""

import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from tools.run_tests import PostgresqlMissing, free_port, throwaway_postgresql

ROOT = Path(__file__).resolve().parent.parent
REPORT = ROOT / "docs" / "benchmarks" / "load.md"
TRADERS = int(os.environ.get("LOAD_TRADERS", "5000"))
CALLERS, CLOSED_SECONDS = 8, 6
WAITING = 64  # requests under way at once; a later one waits, and its waiting counts
OPEN_SECONDS, SHARE_OF_MOST = 15, 0.5
KEY = "for a measurement on this machine alone, not a secret"
TOKEN = "a" * 32

# What is done in the city's own process: people are signed in and a draft is opened for each owner.
PREPARE = """
import json, django
django.setup()
from datetime import UTC, datetime
from django.conf import settings
from django.test import Client
from getihu.accounts.models import Account, Ownership
from getihu.accounts.selectors import actor_of
from getihu.cases import services as cases
from getihu.registry import selectors as registry
from tests.signed_in import sign_in

now, people = datetime.now(UTC), []
for held in Ownership.objects.filter(until=None).order_by("id")[:5]:
    actor = actor_of(held.account_id, now)
    trader = registry.get_trader(held.trader_code)
    try:
        case = cases.open_draft(
            "entry.catering_opening", held.trader_code,
            place=trader.town_code or trader.county_code, by=actor, at=now,
        )
    except Exception:
        case = None
    client = Client()
    sign_in(client, Account.objects.get(pk=held.account_id))
    people.append([client.cookies["sessionid"].value, held.trader_code, case and str(case)])
officer = Account.objects.get(login="demo-window")
client = Client()
sign_in(client, officer)
print(json.dumps({"owners": people, "officer": client.cookies["sessionid"].value}))
"""


@dataclass(frozen=True)
class Call:
    """One kind of request."""

    name: str
    method: str
    addresses: list[str]
    sessions: list[str]
    form: dict[str, str]
    wanted: int


@dataclass(frozen=True)
class Measured:
    """What one kind of request took; times in milliseconds, from the moment each was due."""

    name: str
    most_a_second: float
    rate: float
    p50: float
    p95: float
    p99: float
    wrong: int
    made: int


@contextmanager
def served(environment: dict[str, str]) -> Iterator[str]:
    """The service as ``getihu serve`` starts it."""
    port = free_port()
    log = Path(environment["GETIHU_DATA_DIR"]) / "served.log"
    with log.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "getihu.config.cli", "serve", "--port", str(port)],
            env=environment, stdout=out, stderr=out, cwd=ROOT, start_new_session=True,
        )  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(600):
            try:
                if requests.get(f"{address}/health", timeout=2).status_code == 200:
                    break
            except requests.RequestException:
                time.sleep(0.2)
        else:
            raise RuntimeError(log.read_text()[-2000:])
        yield address
    finally:
        os.killpg(process.pid, 15)
        process.wait(20)


def calls(environment: dict[str, str]) -> list[Call]:
    run = subprocess.run(
        [sys.executable, "-c", PREPARE],
        env={**environment, "DJANGO_SETTINGS_MODULE": "getihu.config.settings"},
        capture_output=True, text=True, cwd=ROOT,
    )  # fmt: skip
    if run.returncode:
        raise RuntimeError(run.stderr[-2000:])
    told = json.loads(run.stdout.splitlines()[-1])
    owners = told["owners"]
    drafts = [(session, case) for session, _, case in owners if case]
    form = {"use_area_m2": "80", "seats": "20", "has_signboard": "yes", "do": "save"}
    return [
        Call("a trader's own page (types, policies, reasons)", "GET",
             [f"/traders/{code}/" for _, code, _ in owners], [s for s, _, _ in owners], {}, 200),
        Call("an office's inbox", "GET", ["/desk/"], [told["officer"]], {}, 200),
        Call("saving a draft (a write)", "POST",
             [f"/mine/cases/{case}/draft/" for _, case in drafts], [s for s, _ in drafts], form, 302),
    ]  # fmt: skip


class Caller:
    """Asks one address after another, each thread over a connection of its own."""

    def __init__(self, address: str, call: Call) -> None:
        self.address, self.call, self.own = address, call, threading.local()

    def ask(self, number: int) -> int:
        if not hasattr(self.own, "session"):
            self.own.session = requests.Session()
            self.own.session.trust_env = False
        call, at = self.call, number % len(self.call.addresses)
        cookies = f"sessionid={call.sessions[at % len(call.sessions)]}; csrftoken={TOKEN}"
        answer = self.own.session.request(
            call.method, self.address + call.addresses[at], data=call.form or None,
            headers={"Cookie": cookies, "X-CSRFToken": TOKEN},
            allow_redirects=False, timeout=60,
        )  # fmt: skip
        return int(answer.status_code)


def as_many_as_it_takes(caller: Caller) -> float:
    """Answers a second with ``CALLERS`` asking one after another."""
    began = time.monotonic()

    def one(first: int) -> int:
        done = 0
        while time.monotonic() < began + CLOSED_SECONDS:
            status = caller.ask(first + done)
            if status != caller.call.wanted:
                raise RuntimeError(f"{caller.call.name}: {status}")
            done += 1
        return done

    with ThreadPoolExecutor(CALLERS) as threads:
        done = sum(threads.map(one, range(CALLERS)))
    return done / (time.monotonic() - began)


def at_a_rate(caller: Caller, rate: float) -> tuple[list[float], int]:
    """Times in milliseconds from when each request was due, and how many went wrong."""
    began = time.monotonic()

    def one(number: int) -> tuple[float, bool]:
        due = began + number / rate
        time.sleep(max(0.0, due - time.monotonic()))
        try:
            is_right = caller.ask(number) == caller.call.wanted
        except requests.RequestException:
            is_right = False
        return (time.monotonic() - due) * 1000, is_right

    with ThreadPoolExecutor(WAITING) as threads:
        told = list(threads.map(one, range(math.ceil(rate * OPEN_SECONDS))))
    return sorted(took for took, _ in told), sum(not is_right for _, is_right in told)


def measure(address: str, asked: list[Call]) -> list[Measured]:
    found = []
    for call in asked:
        caller = Caller(address, call)
        for number in range(10):
            caller.ask(number)
        most = as_many_as_it_takes(caller)
        rate = max(1.0, most * SHARE_OF_MOST)
        times, wrong = at_a_rate(caller, rate)
        p50, p95, p99 = (times[int(share * (len(times) - 1))] for share in (0.5, 0.95, 0.99))
        found.append(Measured(call.name, most, rate, p50, p95, p99, wrong, len(times)))
        print(found[-1], flush=True)
    return found


def on(database: str, folder: Path) -> list[Measured]:
    environment = os.environ | {
        "GETIHU_DATA_DIR": str(folder),
        "GETIHU_DATABASE_URL": database or f"sqlite:///{folder / 'getihu.sqlite3'}",
        "GETIHU_SECRET_KEY": KEY,
        "PYTHONPATH": f"{ROOT}:{ROOT / 'src'}",
    }
    for words in (["setup"], ["city", "--traders", str(TRADERS)]):
        command = [sys.executable, "-m", "getihu.config.cli", *words]
        done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(done.stderr[-2000:])
    with served(environment) as address:
        return measure(address, calls(environment))


def table(found: list[Measured]) -> list[str]:
    lines = [
        "| request | most a second | at a rate of | p50 | p95 | p99 | wrong |",
        "|---|---|---|---|---|---|---|",
    ]
    return lines + [
        f"| {m.name} | {m.most_a_second:.0f} | {m.rate:.0f}/s | {m.p50:.0f} ms | {m.p95:.0f} ms "
        f"| {m.p99:.0f} ms | {m.wrong} of {m.made:,} |"
        for m in found
    ]


def main() -> None:
    folder = Path(tempfile.mkdtemp(prefix="getihu-load-"))
    folder.chmod(0o755)
    lines = [
        "# Load",
        "",
        "<!-- Written by python -m bench.load; do not edit. -->",
        "",
        f"A demo city of {TRADERS:,} traders, one server process as `getihu serve` starts it, on "
        f"{os.cpu_count()} cores that the callers, the database and other work share. Most a second: "
        f"{CALLERS} callers one after another for {CLOSED_SECONDS} s. Times: an open loop of "
        f"{OPEN_SECONDS} s at half of that, each request timed from the moment it was due. "
        "Ten minutes, 10× and 30× of W11 are not measured here.",
    ]
    try:
        for number, name in enumerate(("SQLite", "PostgreSQL")):
            data = folder / str(number)
            data.mkdir()
            lines += ["", f"## {name}", ""]
            if name == "SQLite":
                lines += table(on("", data))
                continue
            try:
                with throwaway_postgresql() as address:
                    lines += table(on(address, data))
            except PostgresqlMissing as error:
                lines.append(f"Not measured: {error}")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    REPORT.write_text("\n".join(lines) + "\n", "utf-8")


if __name__ == "__main__":
    main()
