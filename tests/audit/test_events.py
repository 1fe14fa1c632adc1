"""What an event is: with its change or not at all, one text, no person in clear, erasable."""

import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from cryptography.exceptions import InvalidTag
from django.db import connection, transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from getihu.audit import sealing, selectors, services
from getihu.audit.canonical import canonical_json, commitment
from getihu.audit.models import Event, SubjectKey
from tests.audit.conftest import AT, event, record, verify_whole

pytestmark = pytest.mark.django_db

NAME, IDENTITY, MOBILE = "文彩华", "330303199001011231", "13857712345"


def personal(**changed: object):
    told = {
        "subject": "trader:1",
        "personal": {"name": NAME, "identity": IDENTITY, "mobile": MOBILE},
    }
    return event(1, **{**told, **changed})


def test_an_event_goes_with_its_change_and_stays_with_it():
    with pytest.raises(RuntimeError), transaction.atomic():
        services.record(event(1))
        raise RuntimeError
    assert not Event.objects.exists()

    with transaction.atomic():
        receipt = services.record(event(1))
    assert Event.objects.get().pk == receipt.event_id


def test_one_call_writes_one_event():
    record(7)

    assert Event.objects.count() == 7


def test_equal_events_have_different_commitments():
    with transaction.atomic():
        first, second = services.record(event(1)), services.record(event(1))

    assert first.commitment != second.commitment


def test_a_commitment_without_its_salt_cannot_be_guessed():
    with transaction.atomic():
        receipt = services.record(event(1))
    row = Event.objects.get()

    assert len(bytes(row.salt)) == 32
    assert commitment(bytes(row.salt), bytes(row.record)).hex() == receipt.commitment
    assert commitment(b"", bytes(row.record)).hex() != receipt.commitment


def test_values_are_written_in_one_way():
    body = {
        "b": Decimal("1200.50"), "a": [True, None, 3], "d": date(2026, 11, 6),
        "c": datetime(2026, 11, 6, 17, tzinfo=timezone(timedelta(hours=8))),
    }  # fmt: skip

    assert canonical_json(body) == (
        b'{"a":[true,null,3],"b":"1200.50","c":"2026-11-06T09:00:00.000000Z","d":"2026-11-06"}'
    )


@pytest.mark.parametrize(
    "changed",
    [
        {"kind": "accepted"}, {"kind": "case.Accepted"}, {"kind": "case.accepted\n"},
        {"actor": "文"}, {"actor": "officer"}, {"actor": "officer:1 7"}, {"actor": "officer:17\n"},
        {"object": "case:"}, {"object": "case:\u202e1"}, {"object": "case:" + "1" * 200},
        {"at": datetime(2026, 11, 6)},  # noqa: DTZ001
        {"body": {"x": 1.5}}, {"body": {"x": 2**60}}, {"body": {"x": b"x"}}, {"body": {1: 2}},
        {"body": {"x": Decimal("NaN")}}, {"body": {"x": "\ud800"}}, {"body": {"x": {1, 2}}},
        {"subject": "trader:1"}, {"personal": {"name": NAME}},
        {"subject": "row:x:1", "personal": {"name": NAME}},
    ],
    ids=str,
)  # fmt: skip
def test_what_has_no_single_text_is_refused(changed):
    with transaction.atomic(), pytest.raises(services.InvalidEvent):
        services.record(event(1, **changed))

    assert not Event.objects.exists()


@pytest.mark.parametrize(
    "changed",
    [
        {"body": {"note": f"联系 {MOBILE}"}}, {"body": {"people": [{"id": IDENTITY}]}},
        {"body": {IDENTITY: 1}}, {"object": f"person:{IDENTITY}"}, {"actor": f"officer:{MOBILE}"},
    ],
    ids=str,
)  # fmt: skip
def test_identity_and_mobile_numbers_in_clear_are_refused_without_repeating_them(changed):
    with transaction.atomic(), pytest.raises(services.PersonalInClear) as refused:
        services.record(event(1, **changed))

    assert IDENTITY not in str(refused.value) and MOBILE not in str(refused.value)


@pytest.mark.parametrize(
    "text", ["92330303MA2BT6U57G", "330303199001011230", "2026110600138577123459", "a" * 64]
)
def test_codes_and_digests_are_no_personal_numbers(text):
    with transaction.atomic():
        services.record(event(1, body={"note": text}))


def dump(log) -> bytes:
    """Everything there is: the tables as the database stores them, and the published files."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM audit_event")
        rows = b"".join(
            bytes(v) if isinstance(v, bytes | memoryview) else str(v).encode()
            for row in cursor.fetchall()
            for v in row
        )
    return rows + b"".join(p.read_bytes() for p in log.rglob("*") if p.is_file())


def test_no_personal_content_stands_in_clear_anywhere(log):
    with transaction.atomic():
        services.record(personal())
    services.sequence(AT)
    found = dump(log)

    escaped = json.dumps(NAME).strip('"')
    assert [c for c in (NAME, escaped, IDENTITY, MOBILE) if c.encode() in found] == []
    # Control: in the clear part the same name is found.
    with transaction.atomic():
        services.record(event(2, body={"name": NAME}))
    assert escaped.encode() in dump(log)


def test_published_files_hold_nothing_of_an_event_but_its_commitment(grow, log):
    grow(3)
    rows = [bytes(r) for r in Event.objects.values_list("record", flat=True)]
    files = b"".join(p.read_bytes() for p in log.rglob("*") if p.is_file())

    assert not any(row in files or b"case" in files or b"officer" in files for row in rows)
    assert all(
        bytes.fromhex(c) in files for c in Event.objects.values_list("commitment", flat=True)
    )


def test_personal_content_is_readable_until_its_key_is_destroyed_and_proofs_hold_after(log):
    with transaction.atomic():
        receipt = services.record(personal())
        other = services.record(personal(subject="trader:2"))
    services.sequence(AT)
    before = selectors.get_event(receipt.event_id)
    key = bytes(SubjectKey.objects.get(subject="trader:1").key)

    with transaction.atomic():
        services.destroy_subject_key("trader:1", actor="officer:9", at=AT)
    services.sequence(AT)
    after = selectors.get_event(receipt.event_id)

    assert (before.personal["name"], before.is_erased) == (NAME, False)
    assert (after.personal, after.is_erased) == (None, True)
    assert selectors.get_event(other.event_id).personal["name"] == NAME
    assert not SubjectKey.objects.filter(key=key).exists()
    assert not SubjectKey.objects.filter(subject="trader:1").exists()
    assert selectors.receipt_file(receipt).startswith("c2sp.org/tlog-proof@v1")
    assert verify_whole(log) == 0
    assert selectors.check_log() == []


def test_erasure_is_itself_an_event_that_does_not_name_the_person():
    with transaction.atomic():
        services.record(personal())
        services.destroy_subject_key("trader:1", actor="officer:9", at=AT)

    row = Event.objects.get(kind="audit.key_destroyed")
    assert b"trader:1" not in bytes(row.record)


def test_a_subject_without_a_key_cannot_be_erased_twice():
    with transaction.atomic():
        services.record(personal())
        services.destroy_subject_key("trader:1", actor="officer:9", at=AT)

        with pytest.raises(services.InvalidEvent):
            services.destroy_subject_key("trader:1", actor="officer:9", at=AT)


def test_after_erasure_new_content_gets_a_new_key():
    with transaction.atomic():
        services.record(personal())
        services.destroy_subject_key("trader:1", actor="officer:9", at=AT)
        receipt = services.record(personal())

    assert selectors.get_event(receipt.event_id).personal["name"] == NAME
    assert SubjectKey.objects.count() == 2


def test_a_sealed_text_opens_with_its_own_key_only():
    sealed = sealing.seal(b"k" * 16, b"text")

    assert sealing.unseal(b"k" * 16, sealed) == b"text"
    assert sealed["key_digest"] == sealing.key_digest(b"k" * 16) != sealing.key_digest(b"l" * 16)
    with pytest.raises(InvalidTag):
        sealing.unseal(b"l" * 16, sealed)


TRICKS = ["\r\n", "\n", "\x1b[2K\x1b[1A", "\u202e", "\u2066", '"},{"kind":"case.closed"', "\\", "\x00", "\u2028", "— origin", "\x85", "\x7f"]  # fmt: skip


hostile_text = st.lists(st.sampled_from([*TRICKS, *'甲乙{}[]:," a']), max_size=6).map("".join)
bodies_ = st.dictionaries(hostile_text, hostile_text, max_size=4)


@settings(max_examples=60, deadline=None)
@given(bodies=st.lists(bodies_, min_size=1, max_size=5))
def test_hostile_text_adds_no_record(bodies):
    """A10: however the lines are read, there are as many records as events."""
    lines = b"\n".join(canonical_json({"body": body}) for body in bodies)

    assert all(0x20 <= byte < 0x7F or byte == 0x0A for byte in lines)
    assert [json.loads(line)["body"] for line in lines.decode().splitlines()] == bodies


@settings(max_examples=60, deadline=None)
@given(first=bodies_, second=bodies_)
def test_different_bodies_never_share_a_text(first, second):
    assert (canonical_json(first) == canonical_json(second)) == (first == second)


def test_an_encoding_that_leaves_text_as_it_is_would_add_records():
    """Control of the two above."""
    body = {"note": '通过\u2028{"kind":"case.closed"}'}
    naive = json.dumps(body, ensure_ascii=False)

    assert len(naive.splitlines()) == 2
    assert len(canonical_json(body).decode().splitlines()) == 1


def test_columns_cannot_be_faked_by_text():
    with transaction.atomic():
        receipt = services.record(event(1, body={"note": '","kind":"case.closed","x":"'}))

    assert selectors.get_event(receipt.event_id).kind == "case.accepted"
    assert json.loads(bytes(Event.objects.get().record))["kind"] == "case.accepted"


def test_events_of_an_object_are_read_in_order():
    record(3)
    with transaction.atomic():
        services.record(event(1, kind="case.closed"))

    assert [e.kind for e in selectors.list_events_of("case:2026-000001")] == [
        "case.accepted",
        "case.closed",
    ]


def test_an_actor_is_named_within_a_transaction_only(data_dir):
    with pytest.raises(services.InvalidEvent), services.acting(actor="nobody"):
        pass
    with pytest.raises(services.PersonalInClear), services.acting(actor="officer:1", reason=MOBILE):
        pass


def test_moments_are_kept_to_the_microsecond(log):
    at = datetime(2026, 11, 6, 9, 0, 0, 123456, tzinfo=UTC)
    with transaction.atomic():
        services.record(event(1, at=at))
    services.sequence(AT)

    assert Event.objects.get().at == at
    assert selectors.check_log() == []
