"""Events into the tree: in order, once, found whole by the public verifier."""

import json

import pytest
from django.db import connection

from getihu.audit import selectors, services
from getihu.audit.models import Checkpoint, Event
from getihu.audit.tlog import merkle
from getihu.audit.tlog.tiles import TileFolder
from tests.audit.conftest import AT, event, record, verify, verify_whole

pytestmark = pytest.mark.django_db


def test_an_empty_log_is_signed_and_verifies(log):
    assert selectors.find_checkpoint().size == 0
    assert verify_whole(log) == 0


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 700])
def test_a_log_of_any_size_verifies(grow, log, size, capsys):
    grow(size)

    assert verify_whole(log) == 0
    assert f"共 {size:,} 条" in capsys.readouterr().out


def test_a_log_grown_in_steps_equals_one_grown_at_once(grow, log):
    for count in (1, 3, 250, 2, 1, 300, 1):
        grow(count)
        assert verify_whole(log, "--witness", log.parent / "witness") == 0

    entries = [
        bytes.fromhex(c) for c in Event.objects.order_by("id").values_list("commitment", flat=True)
    ]
    leaves = [merkle.leaf_hash(entry) for entry in entries]
    at_once = merkle.root(
        558, lambda level, i: merkle.perfect_root(leaves[i << level : (i + 1) << level])
    )
    assert selectors.find_checkpoint().root == at_once
    assert selectors.check_log() == []


def test_indexes_are_contiguous_from_zero_in_small_batches_too(log):
    record(25)
    report = services.sequence(AT, batch=10)

    assert (report.taken, report.size) == (25, 25)
    assert list(Event.objects.order_by("id").values_list("log_index", flat=True)) == list(range(25))
    assert list(Checkpoint.objects.order_by("size").values_list("size", flat=True)) == [
        0,
        10,
        20,
        25,
    ]


def test_nothing_waiting_signs_nothing_new(grow, log):
    grow(3)
    before = (log / "checkpoint").read_bytes()

    assert services.sequence(AT).taken == 0
    assert (log / "checkpoint").read_bytes() == before


def test_partial_tiles_go_once_the_full_tile_is_published(grow, log):
    grow(100)
    grow(200)

    assert not (log / "tile" / "0" / "000.p").exists()
    assert [p.name for p in (log / "tile" / "0" / "001.p").iterdir()] == ["44"]


def test_every_entry_is_proved_by_its_receipt(grow, log, tmp_path):
    receipts = grow(300)

    for receipt in receipts[::37]:
        path = tmp_path / "one.tlog-proof"
        path.write_text(selectors.receipt_file(receipt), "utf-8")
        assert (
            verify("receipt", path, "--keys", log / "keys", "--commitment", receipt.commitment) == 0
        )


def test_a_proof_does_not_hold_for_another_commitment(grow, log, tmp_path, capsys):
    first, second = grow(2)
    path = tmp_path / "one.tlog-proof"
    path.write_text(selectors.receipt_file(first), "utf-8")

    assert verify("receipt", path, "--keys", log / "keys", "--commitment", second.commitment) == 1
    assert "不是您回执上那个承诺值" in capsys.readouterr().out


def test_the_opening_shows_what_a_commitment_stands_for(grow, log, tmp_path, capsys):
    (receipt,) = grow(1)
    proof, opening = tmp_path / "one.tlog-proof", tmp_path / "opening.json"
    proof.write_text(selectors.receipt_file(receipt), "utf-8")
    held = selectors.opening(receipt.event_id)
    opening.write_text(json.dumps(held), "utf-8")
    assert verify("receipt", proof, "--keys", log / "keys", "--opening", opening) == 0
    assert "case:2026-000000" in capsys.readouterr().out

    opening.write_text(
        json.dumps(held | {"record": held["record"].replace("officer:17", "officer:18")}), "utf-8"
    )
    assert verify("receipt", proof, "--keys", log / "keys", "--opening", opening) == 1


def test_no_proof_before_the_log_has_taken_the_event(log):
    (receipt,) = record(1)

    with pytest.raises(selectors.NotInLog):
        selectors.inclusion_proof(receipt)


def test_consistency_is_proved_from_every_size(grow, log):
    grow(70)
    whole = selectors.find_checkpoint()
    subtree = TileFolder(log).subtree(70)

    for old in range(1, 71):
        path = selectors.consistency_proof(old)
        assert merkle.is_consistent(old, 70, merkle.root(old, subtree), whole.root, path)


def test_the_published_log_begins_with_an_old_checkpoint(grow, log, tmp_path, capsys):
    grow(5)
    old = tmp_path / "old"
    old.write_bytes((log / "checkpoint").read_bytes())
    grow(300)

    assert verify("consistency", old, log, "--keys", log / "keys") == 0
    assert "与以前所见的 5 条前后一致" in capsys.readouterr().out


def test_the_status_counts_what_waits(log):
    record(3)
    status = selectors.log_status()

    assert (status.signed, status.waiting, status.oldest_waiting_at) == (0, 3, event().at)


def test_no_log_no_action_after_four_hours_of_waiting(log):
    record(1)
    services.check_keeps_up(event().at.replace(hour=12))

    with pytest.raises(services.LogStalled, match="超过 4 小时"):
        services.check_keeps_up(event().at.replace(hour=14))


@pytest.mark.django_db(transaction=True)
def test_an_event_outside_a_transaction_is_refused(data_dir):
    with pytest.raises(services.OutsideTransaction, match="同一个事务"):
        services.record(event())

    assert Event.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_sequencing_inside_a_transaction_is_refused(data_dir):
    from django.db import transaction

    with transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
        services.sequence(AT)
    assert connection.vendor in ("sqlite", "postgresql")
