"""What was backed up comes back whole, or not at all."""

import io
import json
import shutil
import tarfile
import uuid
from pathlib import Path

import pytest
from click.testing import CliRunner
from django.db import connection, transaction

from getihu.accounts import selectors as accounts
from getihu.audit import services as audit
from getihu.audit.contracts import AuditEvent
from getihu.audit.models import Event
from getihu.config import backup
from getihu.config.backup import BackupDamaged, DrillFailed, NotRestorable
from getihu.config.cli import main
from getihu.policies.models import Award, AwardRun, Budget
from getihu.rulebook import selectors as rulebook
from getihu.rulebook import services
from tests.audit.conftest import AT
from tests.rulebook.texts import RULE_ID
from tests.rulebook.traders import AS_OF, CODE
from tests.slips.test_slips import world

__all__ = ["world"]

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def city(data_dir, settings):
    """A data folder with a log of three events, a file, and what is made again from the rest."""
    settings.AUDIT_SIGNERS = ["getihu.audit.signers.ed25519_from_file"]
    settings.DATA_DIR = data_dir / "data"
    for n in range(3):
        with transaction.atomic():
            audit.record(AuditEvent("slip.issued", "job:slips", f"slip:{n}", AT, {"n": n}))
    audit.sequence(AT)
    for name in ("files/attachments/a.pdf", "static/x.css", "rulebook/whatif/s1/x.json"):
        path = settings.DATA_DIR / name
        path.parent.mkdir(parents=True)
        path.write_bytes(name.encode())
    yield settings.DATA_DIR
    named = Path(connection.settings_dict["NAME"])
    for kept in named.parent.glob(f"{named.name}.before-restore*"):
        kept.unlink()


def make(tmp_path: Path, name: str = "made.tar") -> backup.Backup:
    return backup.make(tmp_path / name, AT)


def rewritten(path: Path, change) -> Path:
    """A copy of a backup with parts changed: ``change(name, content)`` gives the new content."""
    target = path.with_name("changed.tar")
    with tarfile.open(path) as old, tarfile.open(target, "w") as new:
        for member in old:
            content = change(member.name, old.extractfile(member).read())
            if content is not None:
                member.size = len(content)
                new.addfile(member, io.BytesIO(content))
    return target


def test_a_backup_holds_everything_but_what_is_made_again(city, tmp_path):
    made = make(tmp_path)
    assert "files/files/attachments/a.pdf" in made.parts
    assert any(name.startswith("files/audit/") for name in made.parts)
    assert any(name.startswith("database.") for name in made.parts)
    assert not any("static" in name or "whatif" in name for name in made.parts)
    assert (made.rows["audit_event"], made.log_size) == (Event.objects.count(), 3)
    assert made.path.stat().st_mode & 0o077 == 0


def test_the_drill_finds_the_same_rows_and_the_same_root(city, tmp_path):
    found = backup.drill(make(tmp_path).path, tmp_path / "scratch")
    assert (found["log_size"], found["findings"]) == (3, [])
    assert found["rows"]["audit_event"] == 3


def test_control_a_backup_of_another_history_fails_the_drill(city, tmp_path):
    """Everything fits together but the number of rows the original had."""

    def one_row_more(name, content):
        if name != backup.MANIFEST:
            return content
        manifest = json.loads(content)
        manifest["rows"]["audit_event"] += 1
        return json.dumps(manifest).encode()

    changed = rewritten(make(tmp_path).path, one_row_more)
    with pytest.raises(DrillFailed, match="rows"):
        backup.drill(changed, tmp_path / "scratch")


def award(slip: bytes, noted: str) -> None:
    budget = Budget.objects.create(programme_id="p", period="2026", total_cents=10_000)
    run = AwardRun.objects.create(
        programme_id="p", period="2026", family="f", rule_id="r", rule_version="v",
        as_of=AT.date(), snapshot_id="s", state="allotted", is_dry=False, planned_at=AT,
    )  # fmt: skip
    Award.objects.create(
        id=uuid.uuid4(), run=run, budget=budget, family="f", subject=CODE, period="2026",
        trader_code=CODE, position=0, cents=100, state="entitled", slip_sha256=noted, slip=slip,
        confirm_until=AT.date(), entitled_at=AT,
    )  # fmt: skip


@pytest.fixture
def decided(world, city, monkeypatch):
    """A decision an award rests on, of a trader who has an account."""
    monkeypatch.setattr(accounts, "list_operated", lambda after, limit: [CODE])
    monkeypatch.setattr(rulebook, "governing_rules", lambda on: {RULE_ID: None})
    return services.issue_slip(CODE, RULE_ID, as_of=AS_OF)


def test_the_drill_makes_decisions_again_from_the_copy_alone(decided, tmp_path):
    award(decided.content, decided.sha256)
    found = backup.drill(make(tmp_path).path, tmp_path / "scratch")
    assert (found["replayed"], found["differing"]) == (2, [])


def test_control_an_award_s_slip_that_was_altered_fails_the_drill(decided, tmp_path):
    award(decided.content.replace(b'"as_of":"20', b'"as_of":"19', 1), decided.sha256)
    with pytest.raises(DrillFailed, match="SlipTampered"):
        backup.drill(make(tmp_path).path, tmp_path / "scratch")


def test_control_an_award_s_slip_that_is_another_s_fails_the_drill(decided, tmp_path):
    award(decided.content, "0" * 64)
    with pytest.raises(DrillFailed, match="fingerprint"):
        backup.drill(make(tmp_path).path, tmp_path / "scratch")


def test_control_a_copy_without_the_archive_fails_the_drill(decided, city, tmp_path, monkeypatch):
    award(decided.content, decided.sha256)
    monkeypatch.setattr(backup, "_keep_slips", lambda folder: None)
    shutil.rmtree(city / "rulebook" / "archive")
    with pytest.raises(DrillFailed, match="NotArchived"):
        backup.drill(make(tmp_path).path, tmp_path / "scratch")


def flip(content: bytes) -> bytes:
    return content[:-1] + bytes([content[-1] ^ 1])


@pytest.mark.parametrize(
    "change",
    [
        lambda name, content: flip(content) if name.startswith("database") else content,
        lambda name, content: flip(content) if "attachments" in name else content,
        lambda name, content: None if "attachments" in name else content,
        lambda name, content: None if name == backup.MANIFEST else content,
        lambda name, content: b"{}" if name == backup.MANIFEST else content,
    ],
    ids=["database", "file", "file gone", "no manifest", "empty manifest"],
)
def test_what_is_not_what_was_written_is_refused_before_anything_is_touched(city, tmp_path, change):
    changed = rewritten(make(tmp_path).path, change)
    before = sorted(str(path) for path in city.rglob("*"))
    with pytest.raises(BackupDamaged):
        backup.restore(changed, replace=True)
    assert sorted(str(path) for path in city.rglob("*")) == before


@pytest.mark.parametrize("share", [0.2, 0.6, 0.99])
def test_a_file_cut_off_anywhere_is_refused(city, tmp_path, share):
    made = make(tmp_path)
    content = made.path.read_bytes()
    made.path.write_bytes(content[: int(len(content.rstrip(b"\0")) * share)])
    with pytest.raises(BackupDamaged):
        backup.inspect(made.path)


def test_a_name_that_leads_out_of_the_folder_is_refused(city, tmp_path):
    target = tmp_path / "evil.tar"
    with tarfile.open(target, "w") as archive:
        archive.addfile(tarfile.TarInfo("files/../../escaped"), io.BytesIO())
    with pytest.raises(BackupDamaged, match="不该有"):
        backup.inspect(target)


def test_data_that_is_here_is_only_replaced_when_told(city, tmp_path):
    made = make(tmp_path)
    with pytest.raises(NotRestorable, match="--replace"):
        backup.restore(made.path)


def test_a_newer_program_s_backup_is_refused(city, tmp_path):
    def later(name, content):
        if name != backup.MANIFEST:
            return content
        manifest = json.loads(content)
        manifest["migrations"].append("cases.9999_later")
        return json.dumps(manifest).encode()

    changed = rewritten(make(tmp_path).path, later)
    with pytest.raises(NotRestorable, match="升级"):
        backup.restore(changed, replace=True)


def test_restored_folder_and_database_are_those_of_the_backup_and_the_old_ones_stay(city, tmp_path):
    made = make(tmp_path)
    (city / "files/attachments/a.pdf").write_bytes(b"later")
    (city / "files/attachments/later.pdf").write_bytes(b"later")
    with transaction.atomic():
        audit.record(AuditEvent("slip.issued", "job:slips", "slip:later", AT, {"n": 9}))
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE of_a_newer_program (n integer)")
    backup.restore(made.path, replace=True)
    assert (city / "files/attachments/a.pdf").read_bytes() == b"files/attachments/a.pdf"
    assert not (city / "files/attachments/later.pdf").exists()
    kept = city.with_name(f"{city.name}.before-restore")
    assert (kept / "files/attachments/later.pdf").read_bytes() == b"later"
    assert Event.objects.count() == 3
    assert "of_a_newer_program" not in connection.introspection.table_names()


def test_a_restore_that_fails_half_way_puts_back_what_was_here(city, tmp_path, monkeypatch):
    made = make(tmp_path)
    (city / "files/attachments/a.pdf").write_bytes(b"later")
    before = Event.objects.count()
    real = backup._swap

    def broken(new, place, undo):
        if place != city:
            raise OSError(28, "No space left on device")
        real(new, place, undo)

    def refused(dump, database):
        raise NotRestorable("psql")

    monkeypatch.setattr(backup, "_swap", broken)
    monkeypatch.setattr(backup, "load_dump", refused)
    with pytest.raises((OSError, NotRestorable)):
        backup.restore(made.path, replace=True)
    assert (city / "files/attachments/a.pdf").read_bytes() == b"later"
    assert Event.objects.count() == before


def test_a_dump_that_breaks_off_leaves_the_database_as_it_was(city, tmp_path):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite is restored as one file")
    backup.make(tmp_path / "made.tar", AT)
    database = backup.unpack(backup.inspect(tmp_path / "made.tar"), tmp_path / "out")
    real = backup._run

    def cut(program, options, where):
        real(program, options, where)
        if program == "pg_restore":
            script = database.with_suffix(".sql")
            script.write_text(script.read_text() + "\nSELECT not_there();\n")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(backup, "_run", cut)
        with pytest.raises(NotRestorable, match="not_there"):
            backup.load_dump(database, connection.settings_dict)
    assert Event.objects.count() == 3


def test_another_root_than_the_log_had_fails_the_drill(city, tmp_path):
    def other_root(name, content):
        if name != backup.MANIFEST:
            return content
        manifest = json.loads(content)
        manifest["log_root"] = flip(bytes.fromhex(manifest["log_root"])).hex()
        return json.dumps(manifest).encode()

    changed = rewritten(make(tmp_path).path, other_root)
    with pytest.raises(DrillFailed, match="log_root"):
        backup.drill(changed, tmp_path / "scratch")


def test_a_database_in_the_data_folder_is_packed_once_whatever_its_name(city, tmp_path, settings):
    if connection.vendor != "sqlite":
        pytest.skip("a database that is a file")
    named = Path(connection.settings_dict["NAME"])
    settings.DATA_DIR = named.parent
    assert named not in {path for _, path in backup._parts(tmp_path / "database.sqlite3")}


def test_an_interrupted_restore_leaves_everything_as_it_was(city, tmp_path, monkeypatch):
    made = make(tmp_path)
    (city / "files/attachments/a.pdf").write_bytes(b"later")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shutil, "copyfileobj", full)
    with pytest.raises(OSError, match="No space"):
        backup.restore(made.path, replace=True)
    assert (city / "files/attachments/a.pdf").read_bytes() == b"later"
    assert not list(city.parent.glob(".restore-*"))


def test_a_backup_is_never_written_over_and_waits_for_no_half_log(city, tmp_path):
    made = make(tmp_path)
    with pytest.raises(NotRestorable, match="已经存在"):
        backup.make(made.path, AT)
    with audit.standing_still(), pytest.raises(audit.SequencerRunning):
        backup.make(tmp_path / "second.tar", AT)
    assert not (tmp_path / "second.tar").exists()


def test_the_commands_tell_what_they_did(city, tmp_path):
    run = CliRunner()
    made = run.invoke(main, ["backup", str(tmp_path)])
    assert made.exit_code == 0, made.output
    (path,) = tmp_path.glob("getihu-*.tar")
    assert "审计日志 3 条" in made.output
    drilled = run.invoke(main, ["drill", str(path)])
    assert drilled.exit_code == 0, drilled.output
    assert "演练通过" in drilled.output
    refused = run.invoke(main, ["restore", str(path), "--replace"], input="no\n")
    assert refused.exit_code == 1
    assert connection.vendor in refused.output
