"""ClamAV through its daemon: a stand-in that speaks the protocol, and the real one where it is."""

import shutil
import socket
import socketserver
import subprocess
import threading
import time

import pytest

from getihu.cases.ports import Finding, ScannerUnavailable
from getihu.gateways.virus_scanner import scan

VIRUS = b"\x89PNG\r\n\x1a\n this project's own pattern: not a virus, only called one"
CLEAN = b"\x89PNG\r\n\x1a\n" + b"a plan of the kitchen" * 5000  # in more than one piece
MOST = 1_000_000


class Daemon(socketserver.StreamRequestHandler):
    """INSTREAM of clamd(8): pieces with their length, an empty one at the end."""

    says = ""

    def handle(self):
        assert self.rfile.readline() == b"nINSTREAM\n"
        content = b""
        while size := int.from_bytes(self.rfile.read(4), "big"):
            content += self.rfile.read(size)
        if len(content) > MOST:
            answer = "INSTREAM size limit exceeded. ERROR"
        elif self.says:
            answer = self.says
        else:
            answer = "stream: Getihu.Test FOUND" if VIRUS in content else "stream: OK"
        self.wfile.write(f"{answer}\n".encode())


@pytest.fixture
def stand_in():
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Daemon) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@pytest.fixture(scope="module")
def clamd(tmp_path_factory):
    """The real daemon with one pattern of its own, so that no database need be fetched."""
    program = shutil.which("clamd") or shutil.which("clamd", path="/usr/sbin")
    if program is None:
        pytest.skip("no clamd on this machine: apt-get install clamav-daemon")
    folder = tmp_path_factory.mktemp("clamd")
    (folder / "db").mkdir()
    (folder / "db" / "own.ndb").write_text(f"Getihu.Test:0:*:{VIRUS.hex()}\n")
    address = folder / "clamd.ctl"
    (folder / "clamd.conf").write_text(
        f"LocalSocket {address}\nDatabaseDirectory {folder / 'db'}\nForeground yes\n"
        f"StreamMaxLength {MOST}\nOfficialDatabaseOnly no\n"
    )
    with (folder / "log").open("wb") as log:
        daemon = subprocess.Popen(
            [program, "-c", str(folder / "clamd.conf")], stdout=log, stderr=log
        )
    for _ in range(150):
        if address.exists() or daemon.poll() is not None:
            break
        time.sleep(0.2)
    assert daemon.poll() is None, (folder / "log").read_text()
    yield str(address)
    daemon.terminate()
    daemon.wait(20)


@pytest.fixture(params=["stand_in", "clamd"])
def daemon(request, settings):
    settings.CLAMD_ADDRESS = request.getfixturevalue(request.param)


def test_a_clean_file_is_said_to_be_clean(daemon):
    assert scan(CLEAN) == Finding("clamav")


def test_what_is_found_is_refused_by_name(daemon):
    finding = scan(CLEAN + VIRUS)
    assert (finding.scanner, finding.refused[:6]) == ("clamav", "文件里有病毒")
    assert "Getihu.Test" in finding.refused


def test_a_file_not_looked_at_whole_is_not_clean(daemon):
    with pytest.raises(ScannerUnavailable):
        scan(CLEAN * 20)


def test_active_content_needs_no_virus_scanner(settings):
    settings.CLAMD_ADDRESS = "/nowhere"
    assert "自动运行" in scan(b"%PDF-1.7 /OpenAction << /S /JavaScript >>").refused


def test_without_a_daemon_no_file_is_clean(settings):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # nobody listens
        settings.CLAMD_ADDRESS = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(ScannerUnavailable):
            scan(CLEAN)
    settings.CLAMD_ADDRESS = "/nowhere/clamd.ctl"
    with pytest.raises(ScannerUnavailable):
        scan(CLEAN)


def test_an_answer_it_does_not_know_is_not_clean(stand_in, settings, monkeypatch):
    monkeypatch.setattr(Daemon, "says", "stream: Broken ERROR")
    settings.CLAMD_ADDRESS = stand_in
    with pytest.raises(ScannerUnavailable):
        scan(CLEAN)
