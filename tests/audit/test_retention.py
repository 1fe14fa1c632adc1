"""What events say is kept three years and goes after; every proof holds before and after."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from getihu.audit import selectors, services
from getihu.audit.models import Event
from tests.audit.conftest import event, full_database_rights, verify_whole

pytestmark = pytest.mark.django_db
NOW = datetime.now(UTC)
OLD, YOUNG = NOW - timedelta(days=3 * 366 + 30), NOW - timedelta(days=3 * 365 - 30)
TERM_OVER = NOW - timedelta(days=3 * 366)
CANARY = "canary-7f3a"


@pytest.fixture
def receipts(log):
    """Three events past their term, one of a decision slip, and three within it."""
    with transaction.atomic():
        told = services.record_all(
            event(
                n,
                at=OLD if n < 4 else YOUNG,
                object=f"slip:{'a' * 64}" if n == 3 else f"case:{CANARY}-{n}",
                actor=f"officer:{CANARY}",
                body={"what": CANARY},
                subject=f"person:{CANARY}-{n}",
                personal={"note": CANARY},
            )
            for n in range(7)
        )
    services.sequence(NOW)
    return told


def texts() -> str:
    rows = Event.objects.values_list("actor", "object_ref", "record", "salt", "log_index")
    return "\n".join(f"{i} {a} {o} {bytes(r)!r}" for a, o, r, s, i in rows if i is not None)


def test_past_the_term_nothing_is_left_and_every_proof_holds(log, receipts):
    before = [selectors.receipt_file(receipt) for receipt in receipts]
    assert services.empty_old_events(TERM_OVER, at=NOW) == 4
    services.sequence(NOW)
    lines = [line for line in texts().splitlines() if CANARY in line]
    assert [line.split()[0] for line in lines] == ["4", "5", "6"]
    assert selectors.check_log() == []
    assert verify_whole(log) == 0
    for receipt, proof in zip(receipts, before, strict=True):
        again = selectors.inclusion_proof(receipt)
        assert selectors.check_inclusion(again)
        assert proof.splitlines()[1] == selectors.receipt_file(receipt).splitlines()[1]
    assert len(selectors.find_receipts("a" * 64)) == 1  # a slip is still found by its digest


def test_again_is_no_change_and_the_younger_are_read_as_ever(receipts):
    services.empty_old_events(TERM_OVER, at=NOW)
    assert services.empty_old_events(TERM_OVER, at=NOW) == 0
    assert selectors.get_event(receipts[5].event_id).personal == {"note": CANARY}
    with pytest.raises(selectors.NotInLog):
        selectors.get_event(receipts[0].event_id)
    with pytest.raises(selectors.NotInLog):
        selectors.opening(receipts[0].event_id)


def test_an_event_that_is_young_keeps_all_after_it(log):
    with transaction.atomic():
        services.record_all([event(0, at=YOUNG), event(1, at=OLD)])
    services.sequence(NOW)
    assert services.empty_old_events(TERM_OVER, at=NOW) == 0


def test_before_three_years_it_is_refused(receipts):
    with pytest.raises(services.TooEarly):
        services.empty_old_events(YOUNG + timedelta(days=1), at=NOW)


EARLY = [
    "UPDATE audit_event SET record = '', salt = '', actor = '', object_ref = '', key_digest = ''"
    " WHERE log_index = 5",
    "DELETE FROM audit_event WHERE log_index = 5",
    "DELETE FROM audit_event WHERE log_index = 0",
    "UPDATE audit_event SET record = '', actor = '', object_ref = '' WHERE log_index = 0",
    "UPDATE audit_event SET record = '', salt = '', actor = '', object_ref = '', key_digest = '',"
    " commitment = 'x' WHERE log_index = 0",
    "UPDATE audit_event SET at = '2020-01-01 00:00:00+00:00' WHERE log_index = 5",
]


@pytest.mark.parametrize("statement", EARLY)
def test_the_database_refuses_whoever_asks_early_or_for_more(receipts, statement):
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert Event.objects.exclude(record=b"").count() == 7


def test_control_without_the_guard_it_is_done_and_the_check_finds_it(receipts):
    with full_database_rights(), connection.cursor() as cursor:
        cursor.execute(EARLY[0])
    assert any("没有说它过了保存期" in finding.message for finding in selectors.check_log())


def test_more_emptied_than_the_log_says_is_found(receipts):
    services.empty_old_events(TERM_OVER, at=NOW)
    with full_database_rights(), connection.cursor() as cursor:
        cursor.execute(EARLY[0])
    assert [finding.log_index for finding in selectors.check_log()] == [5]
