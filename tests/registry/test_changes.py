"""The registered changes of one trader, through the real door."""

from datetime import UTC, date, datetime

import pytest

from getihu.dataplane import services
from getihu.registry import selectors
from tests.dataplane.department import CODES, registration

pytestmark = pytest.mark.django_db

AT = datetime(2026, 11, 6, tzinfo=UTC)


def change(number: str, on: str, **over: str) -> dict[str, str]:
    given = {"change_no": number, "trader_code": CODES[0], "kind": "经营场所", "changed_on": on}
    return given | over


def changes_of(department, *, as_of: date | None = None):
    services.ingest_directory(department.inbox, at=AT)
    listed = selectors.list_changes(CODES[0], as_of)
    return [(c.kind_label, c.changed_on.isoformat()) for c in listed]


@pytest.fixture
def registered(department):
    department.deliver("registrations", [registration(code) for code in CODES])
    return department


def test_lists_the_newest_first_and_only_her_own(registered):
    registered.deliver(
        "registration_changes",
        [
            change("b1", "2024-02-01"),
            change("b2", "2026-03-01", kind="经营者"),
            change("b3", "2025-01-01", trader_code=CODES[1]),
        ],
    )
    assert changes_of(registered) == [("经营者", "2026-03-01"), ("经营场所", "2024-02-01")]


def test_leaves_out_what_came_later_than_the_date_looked_from(registered):
    registered.deliver(
        "registration_changes", [change("b1", "2024-02-01"), change("b2", "2026-03-01")]
    )
    assert changes_of(registered, as_of=date(2025, 1, 1)) == [("经营场所", "2024-02-01")]


def test_a_correction_replaces_and_a_withdrawal_removes(registered):
    registered.deliver(
        "registration_changes", [change("b1", "2024-02-01"), change("b2", "2026-03-01")]
    )
    registered.deliver(
        "registration_changes",
        [change("b1", "2024-02-09"), change("b2", "2026-03-01", record_status="撤回")],
        delivery_id="registration_changes-2026-10-again",
        issued_at="2026-11-05T18:00:00+08:00",
        corrects="registration_changes-2026-10",
    )
    assert changes_of(registered) == [("经营场所", "2024-02-09")]


def test_without_any_delivery_of_changes_there_are_none(registered):
    assert changes_of(registered) == []
