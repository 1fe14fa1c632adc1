"""The operator's door, and the public's door over HTTP."""

import functools
import http.server
import shutil
import threading
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.db.backends.base.operations import BaseDatabaseOperations

from getihu.audit import guards, selectors, services
from getihu.audit.models import Event
from tests.audit.conftest import record, verify

pytestmark = pytest.mark.django_db


def plain_flush(self: BaseDatabaseOperations, statements: list[str]) -> None:
    """Django's own, without what the suite does to get past the guards."""
    with transaction.atomic(), self.connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def audit(*arguments: object) -> str:
    out = StringIO()
    call_command("audit", *[str(argument) for argument in arguments], stdout=out, stderr=StringIO())
    return out.getvalue()


def test_an_operator_sequences_asks_and_checks(data_dir):
    record(3)

    assert audit("status").startswith("已签 0 条，等待 3 条，最早的一条记于 ")
    assert audit("sequence") == "收录 3 条，日志共 3 条。\n"
    assert audit("status") == "已签 3 条，等待 0 条。\n"
    assert audit("check") == "日志完好。\n"
    assert "与签过的检查点相符" in audit("rebuild")


def test_the_check_ends_with_an_error_code_and_names_what_is_wrong(grow, log, capsys):
    grow(2)
    (log / "tile" / "0" / "000.p" / "2").write_bytes(bytes(64))
    out = StringIO()

    with pytest.raises(SystemExit) as ended:
        call_command("audit", "check", stdout=out, stderr=StringIO())
    assert ended.value.code == 4
    assert "与下一层的散列不符" in out.getvalue()


def test_a_receipt_is_printed_as_a_proof_file(grow, log, tmp_path):
    (receipt,) = grow(1)
    path = tmp_path / "slip.tlog-proof"
    path.write_text(audit("receipt", receipt.event_id), "utf-8")

    assert verify("receipt", path, "--keys", log / "keys") == 0


def test_a_receipt_that_cannot_be_proved_yet_says_when(log):
    (receipt,) = record(1)

    with pytest.raises(CommandError, match="约一分钟后"):
        audit("receipt", receipt.event_id)


class Silent(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None: ...


def test_the_log_is_verified_over_http(grow, log, tmp_path, capsys):
    grow(300)
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Silent, directory=str(log))
    )
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        address = f"http://127.0.0.1:{server.server_port}"
        keys = log / "keys"
        assert verify("log", address, "--keys", keys, "--witness", tmp_path / "witness") == 0
        (log / "tile" / "entries" / "000").unlink()
        assert verify("log", address, "--keys", keys) == 1
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    assert "缺少文件 tile/entries/000" in capsys.readouterr().out


def test_a_log_that_grew_while_it_was_read_still_verifies(grow, log, tmp_path):
    grow(250)
    old = (log / "checkpoint").read_bytes()
    grow(10)
    (log / "checkpoint").write_bytes(old)

    assert not (log / "tile" / "0" / "000.p").exists()
    assert verify("log", log, "--keys", log / "keys") == 0


def test_a_checkpoint_alone_is_verified(grow, log, tmp_path, capsys):
    grow(1)

    assert verify("checkpoint", log / "checkpoint", "--keys", log / "keys") == 0
    changed = (log / "checkpoint").read_text("utf-8").replace("\n1\n", "\n2\n")
    (tmp_path / "changed").write_text(changed, "utf-8")
    assert verify("checkpoint", tmp_path / "changed", "--keys", log / "keys") == 1
    assert selectors.find_checkpoint().size == 1


@pytest.mark.parametrize(
    "text", ["", "c2sp.org/tlog-proof@v1\n", "c2sp.org/tlog-proof@v1\nindex -1\n\nx\n", "\n\n\n"]
)
def test_nonsense_is_no_receipt(log, tmp_path, text):
    (tmp_path / "slip").write_text(text, "utf-8")

    assert verify("receipt", tmp_path / "slip", "--keys", log / "keys") == 1


@pytest.mark.django_db(transaction=True)
def test_a_demo_city_starts_over_with_a_guarded_empty_log_and_a_witness_sees_it(
    data_dir, monkeypatch, capsys
):
    record(3)
    audit("sequence")
    log, witness = selectors.log_folder(), data_dir / "witness"
    keys = shutil.copy(log / "keys", data_dir / "known-keys")
    assert verify("log", log, "--keys", keys, "--witness", witness) == 0

    with services.demo_starts_over():
        call_command("flush", interactive=False, verbosity=0)
    audit("sequence")

    assert selectors.log_status().signed == 0
    assert guards.missing_guards(connection) == []
    assert verify("log", log, "--keys", keys, "--witness", witness) == 1
    assert "历史被回退" in capsys.readouterr().out


@pytest.mark.django_db(transaction=True)
def test_emptying_the_database_is_refused_otherwise(data_dir, monkeypatch):
    monkeypatch.setattr(BaseDatabaseOperations, "execute_sql_flush", plain_flush)
    record(1)

    with pytest.raises(CommandError):
        call_command("flush", interactive=False, verbosity=0)
    assert Event.objects.count() == 1
