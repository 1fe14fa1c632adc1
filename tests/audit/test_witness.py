"""Witnesses under other administrators: they sign what grows from what they saw, and nothing else.
An old backup that goes on and a fork signed with the stolen key are found at the next checkpoint."""

import base64
import random
import shutil
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from getihu.audit import selectors, services
from getihu.audit.models import Checkpoint, Event
from getihu.audit.signers import open_signers
from getihu.audit.tlog import merkle, note
from tests.audit import attacks
from tests.audit import vectors as v
from tests.audit.conftest import AT, full_database_rights, record, verify
from tools import witness

pytestmark = pytest.mark.django_db
NAMES = ("witness.example/w1", "audit.example/w2")


class Running:
    """A witness at its own address, with its own folder."""

    def __init__(self, name: str, folder: Path, log_keys: str) -> None:
        witness.make_key(name, folder)
        self.folder, self.name, self.log_keys = folder, name, log_keys
        self.start()

    def start(self, port: int = 0) -> None:
        self.itself = witness.Witness(self.folder, self.log_keys, lambda: 1_700_000_000)
        self.server = witness.server(self.itself, "127.0.0.1", port)
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    @property
    def setting(self) -> dict[str, str]:
        url = f"http://127.0.0.1:{self.server.server_port}/"
        return {"url": url, "key": self.itself.vkey}


@pytest.fixture
def two(log, tmp_path_factory, settings):
    """A log of 40 entries that two witnesses saw at 10, 25 and 40, and its backup at 25."""
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    keys = (log / "keys").read_text("utf-8")
    running = [Running(name, elsewhere / name[:5], keys) for name in NAMES]
    settings.AUDIT_WITNESSES = [each.setting for each in running]
    settings.AUDIT_WITNESS_QUORUM = 2
    for before, after in zip(attacks.SIZES, attacks.SIZES[1:], strict=False):
        record(after - before, first=before)
        services.sequence(AT)
        if after == 25:
            shutil.copytree(log, elsewhere / "backup")
    (elsewhere / "log-keys").write_text(keys)
    (elsewhere / "witness-keys").write_text("".join(f"{r.itself.vkey}\n" for r in running))
    yield running, elsewhere
    for each in running:
        each.stop()


def outside(log: Path, elsewhere: Path, *more: object) -> int:
    """The public verifier in the hands of somebody who never looked at the log before."""
    keys = ("--keys", elsewhere / "log-keys")
    return verify("log", log, *keys, "--witnesses", elsewhere / "witness-keys", *more)


def test_every_published_checkpoint_bears_both_signatures(log, two, tmp_path):
    _, elsewhere = two
    published = (log / "checkpoint").read_text("utf-8")
    assert [s.name for s in note.parse(published)[1]] == ["getihu.example/audit", *NAMES]
    assert outside(log, elsewhere) == 0
    proof = tmp_path / "proof"
    proof.write_text(selectors.receipt_file(selectors.get_receipt(Event.objects.first().pk)))
    given = ("--keys", elsewhere / "log-keys", "--witnesses", elsewhere / "witness-keys")
    assert verify("receipt", proof, *given) == 0
    assert selectors.check_log() == []


def restore_the_backup(log: Path, elsewhere: Path) -> None:
    with full_database_rights():
        Event.objects.filter(log_index__gte=25).delete()
        Checkpoint.objects.filter(size__gt=25).delete()
    shutil.rmtree(log)
    shutil.copytree(elsewhere / "backup", log)


@pytest.mark.parametrize("more", [5, 15, 30], ids=["smaller", "as large", "larger"])
def test_an_old_backup_that_goes_on_gets_no_signature(log, two, more):
    _, elsewhere = two
    restore_the_backup(log, elsewhere)
    record(more, first=5000)
    with pytest.raises(services.WitnessRefused, match=r"见过的前 40 条|签过 40 条"):
        services.sequence(AT)
    assert selectors.find_checkpoint().size == 25  # nothing more was published
    with pytest.raises(services.WitnessRefused):
        services.sequence(AT)


@pytest.mark.parametrize("more", [5, 30])
def test_control_without_witnesses_it_goes_on_unseen(log, two, settings, more):
    _, elsewhere = two
    settings.AUDIT_WITNESSES, settings.AUDIT_WITNESS_QUORUM = [], 0
    restore_the_backup(log, elsewhere)
    record(more, first=5000)
    assert services.sequence(AT).size == 25 + more
    assert verify("log", log, "--keys", elsewhere / "log-keys") == 0
    assert selectors.check_log() == []
    assert outside(log, elsewhere) == 1  # who knows the witnesses' keys is not taken in


@pytest.mark.parametrize("change", attacks.CHANGES, ids=lambda change: change.__name__)
def test_a_fork_signed_with_the_stolen_key_gets_no_signature(log, two, change):
    _, elsewhere = two
    with full_database_rights():
        change(random.Random(3))
        attacks.cover(log)
    assert verify("log", log, "--keys", elsewhere / "log-keys") == 0  # control: it looks whole
    assert selectors.check_log() == []
    assert outside(log, elsewhere) == 1
    record(9, first=7000)
    with pytest.raises(services.WitnessRefused):
        services.sequence(AT)


def test_a_fork_beside_the_true_log_gets_no_signature(log, two):
    """Whoever stole the key asks the witness directly, with a proof that holds in the fork."""
    (first, _), _ = two
    leaves = [merkle.leaf_hash(bytes([n]) * 32) for n in range(50)]
    subtree = lambda level, i: merkle.perfect_root(leaves[i << level : (i + 1) << level])  # noqa: E731
    text = note.checkpoint_text("getihu.example/audit", 50, merkle.root(50, subtree))
    forged = note.sign(text, open_signers(may_create=False))
    proof = merkle.consistency_path(40, 50, subtree)
    lines = "\n".join(["old 40", *(base64.b64encode(step).decode() for step in proof)])
    with pytest.raises(witness.Refused) as refused:
        first.itself.add_checkpoint(f"{lines}\n\n{forged}".encode())
    assert refused.value.status == 422


def test_below_the_quorum_nothing_is_published_and_nothing_is_lost(log, two):
    second = two[0][1]
    port = second.server.server_port
    second.stop()
    record(7, first=40)
    with pytest.raises(services.WitnessMissing, match=r"audit\.example/w2"):
        services.sequence(AT)
    assert selectors.find_checkpoint().size == 40
    second.start(port)
    services.sequence(AT)
    assert selectors.find_checkpoint().size == 47
    assert outside(log, two[1]) == 0


def test_without_a_quorum_a_witness_that_is_down_holds_up_nothing(log, two, settings):
    settings.AUDIT_WITNESS_QUORUM = 0
    two[0][1].stop()
    record(7, first=40)
    assert services.sequence(AT).size == 47
    assert outside(log, two[1]) == 1
    assert outside(log, two[1], "--quorum", 1) == 0
    two[0][1].start()


def test_a_witness_of_the_settings_that_signs_nonsense_does_not_count(log, two, monkeypatch):
    monkeypatch.setattr(two[0][0].itself, "_sign", lambda text: f"— {NAMES[0]} {'A' * 104}\n")
    record(1, first=40)
    with pytest.raises(services.WitnessMissing):
        services.sequence(AT)


BAD = {
    "an unknown log": (404, lambda n: f"old 40\n\n{n.replace('getihu.example', 'other.example')}"),
    "an unknown key": (403, lambda n: f"old 40\n\n{n.replace(' ', ' AAAA', 1)}"),
    "not a size": (400, lambda n: f"old 040\n\n{n}"),
    "a larger old size": (400, lambda n: f"old 99\n\n{n}"),
    "another old size": (409, lambda n: f"old 10\n\n{n}"),
    "a proof too many": (422, lambda n: f"old 40\n{'A' * 43}=\n\n{n}"),
    "a proof that is none": (400, lambda n: f"old 40\nnonsense\n\n{n}"),
    "64 lines of proof": (400, lambda n: "old 40\n" + f"{'A' * 43}=\n" * 64 + f"\n{n}"),
    "no checkpoint": (400, lambda n: "old 40\n\nhello\n"),
    "nothing": (400, lambda n: ""),
}


@pytest.mark.parametrize("name", BAD)
def test_a_witness_refuses_by_the_statuses_of_the_specification(log, two, name):
    status, change = BAD[name]
    request = change((log / "checkpoint").read_text("utf-8"))
    with pytest.raises(witness.Refused) as refused:
        two[0][0].itself.add_checkpoint(request.encode())
    assert refused.value.status == status
    if status == 409:
        assert (refused.value.text, refused.value.kind) == ("40\n", "text/x.tlog.size")


@pytest.mark.parametrize(("old", "size", "path"), v.CONSISTENCY)
def test_the_witness_s_own_proof_check_on_the_reference_tree(old, size, path):
    roots = (bytes.fromhex(v.ROOTS[old - 1]), bytes.fromhex(v.ROOTS[size - 1]))
    steps = [bytes.fromhex(step) for step in path]
    assert witness.is_consistent(old, size, *roots, steps)
    assert not witness.is_consistent(old, size, *roots, [*steps, roots[0]])
    assert not steps or not witness.is_consistent(old, size, *roots, steps[:-1])


def test_the_program_stands_alone_and_remembers_after_a_kill(log, tmp_path):
    record(10)
    services.sequence(AT)
    command = [sys.executable, "-I", str(Path(witness.__file__).resolve())]
    made = subprocess.run(
        [*command, "key", NAMES[0], tmp_path / "w"], capture_output=True, text=True, check=True
    )
    assert made.stdout.startswith(f"{NAMES[0]}+")
    again = subprocess.run([*command, "key", "x", tmp_path / "w"], capture_output=True, text=True)
    assert "不换" in again.stderr
    serve = [*command, "serve", tmp_path / "w", "--log-keys", log / "keys", "--port", "0"]

    def ask(old: int) -> int:
        process = subprocess.Popen(
            serve, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        try:
            process.stdout.readline()
            port = process.stdout.readline().split(":")[1].split()[0]
            body = f"old {old}\n\n{(log / 'checkpoint').read_text('utf-8')}".encode()
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/add-checkpoint", body) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code
        finally:
            process.kill()  # at once, nothing tidied up
            process.communicate()

    assert [ask(0), ask(0), ask(10)] == [200, 409, 200]


def test_a_setting_that_cannot_be_read_says_so(settings):
    settings.AUDIT_WITNESSES = [{"url": "http://127.0.0.1", "key": "nonsense"}]
    with pytest.raises(services.WitnessUnknown, match="GETIHU_AUDIT_WITNESSES"):
        services.witnesses()
