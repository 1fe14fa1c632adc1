"""What is kept of people goes when its term is over, and not before; then it is nowhere: not in a
table, not in a file, not in the next backup."""

import copy
import tarfile
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from axes.models import AccessAttempt
from django.contrib.sessions.models import Session
from django.core.files.storage import default_storage
from django.db import connection, transaction

from getihu.access import selectors as policy
from getihu.accounts.contracts import Actor
from getihu.accounts.models import Account
from getihu.audit import services as audit
from getihu.audit.contracts import AuditEvent
from getihu.cases import services as cases
from getihu.cases.models import Attachment, Case, HandledPost
from getihu.cases.services.attachments import path_of
from getihu.config import backup, cli_ops, retention
from getihu.evaluations.models import Rating, RatingContact, Rectification
from getihu.notifications.contracts import NoticeRequest
from getihu.notifications.models import Address, AddressProof, Notice
from getihu.notifications.services import queue
from getihu.passport.models import PresentationRequest, ShowToken
from tests.cases.cast import SHOP, TOWN, id_of, make_cast
from tests.cases.test_cases import CATERING

pytestmark = pytest.mark.django_db(transaction=True)
NOW = datetime.now(UTC).replace(microsecond=0)
MINUTE = timedelta(minutes=1)
PNG = b"\x89PNG\r\n\x1a\n"
KEPT = [kept for kept in retention.kept_classes() if kept.erased_by]
IDS = [kept.id for kept in KEPT]


def canary(name: str) -> str:
    return f"canary.{name}.3c9e"


def draft(owner: Actor, text: str, began: datetime) -> uuid.UUID:
    case = cases.open_draft(CATERING, SHOP, place=TOWN, by=owner, at=began)
    Case.objects.filter(pk=case).update(form={"remarks": text})
    cases.attach(case, "layout", PNG + text.encode(), by=owner, at=began)
    return case


class Plants:
    """One personal thing of each class, whose term began at a moment."""

    def __init__(self, since: dict[str, datetime]) -> None:
        self.since = since["log.events"]
        self.log_events(canary("log.events"))
        self.cast = make_cast()
        for name in IDS[1:]:
            self.since = since[name]
            getattr(self, name.replace(".", "_"))(canary(name))

    def log_events(self, text: str) -> None:
        with transaction.atomic():
            audit.record(
                AuditEvent("case.x", "officer:1", f"case:{text}", self.since, {"what": text})
            )
        audit.sequence(NOW)

    def sign_in_attempts(self, text: str) -> None:
        row = AccessAttempt.objects.create(
            username=text, ip_address="203.0.113.7", user_agent=text, path_info="/", get_data="",
            post_data="", http_accept="", failures_since_start=1,
        )  # fmt: skip
        AccessAttempt.objects.filter(pk=row.pk).update(attempt_time=self.since)

    def sign_in_sessions(self, text: str) -> None:
        Session.objects.create(session_key=text, session_data=text, expire_date=self.since)

    def drafts_discarded(self, text: str) -> None:
        case = draft(self.cast.owner, text, self.since - MINUTE)
        cases.withdraw(case, by=self.cast.owner, at=self.since)
        # The file goes by the day it was let go of, as one taken out.
        Attachment.objects.filter(case=case).update(removed_at=self.since - 365 * 24 * 60 * MINUTE)

    def drafts_left(self, text: str) -> None:
        case = draft(self.cast.owner, text, self.since)
        Attachment.objects.filter(case=case).update(removed_at=self.since)

    def files_taken_out(self, text: str) -> None:
        case = draft(self.cast.owner, text, self.since - MINUTE)
        Case.objects.filter(pk=case).update(form={})
        (file,) = Attachment.objects.filter(case=case).values_list("pk", flat=True)
        cases.take_out(case, file, by=self.cast.owner, at=self.since)

    def forms_handled(self, text: str) -> None:
        HandledPost.objects.create(
            account_id=self.cast.owner.account_id, key=uuid.uuid4(), asked="x" * 64,
            led_to=f"/mine/{text}/", at=self.since,
        )  # fmt: skip

    def notices_texts(self, text: str) -> None:
        with transaction.atomic():
            queue(
                NoticeRequest(
                    "case:x", "y", id_of(self.cast.owner), "case.ended",
                    {"matter": "示例", "result": text.replace(".", "-")},
                ),
                at=self.since,
            )  # fmt: skip
        Notice.objects.update(state="sent", sent_at=self.since, next_try_at=None, title=text)

    def notices_unproved(self, text: str) -> None:
        AddressProof.objects.create(
            account_id=self.cast.owner.account_id, channel="email", value=text, code_digest="x",
            until=self.since, tries_left=1,
        )  # fmt: skip

    def notices_addresses(self, text: str) -> None:
        account = id_of(self.cast.stranger)
        Address.objects.create(account_id=account, channel="email", value=text)
        Account.objects.filter(pk=account).update(closed_at=self.since)

    def ratings_contacts(self, text: str) -> None:
        rating = Rating.objects.create(
            matter_id="x", agency="amr", division="330302", on=self.since.date(), grade=1,
            channel="web", code_digest="x",
        )  # fmt: skip
        Rectification.objects.create(
            number="R-1", rating=rating, state="ended", called_back_at=self.since,
            called_back_by_id=self.cast.window.account_id, reply="x", ended_at=self.since,
            ended_by_id=self.cast.window.account_id, outcome="mended", result="x",
        )  # fmt: skip
        RatingContact.objects.create(rating=rating, value=text)

    def licence_codes(self, text: str) -> None:
        ShowToken.objects.create(sha256=text, trader_code=SHOP, made_at=self.since)

    def licence_shown(self, text: str) -> None:
        PresentationRequest.objects.create(
            asked_by_id=self.cast.window.account_id, agency="bank", scene="s", wanted=[],
            purpose="p", nonce="n", asked_at=self.since - MINUTE, answer_by=self.since,
            until=(self.since - timedelta(days=1)).date(), trader_code=SHOP,
            answered_at=self.since - MINUTE, shown={"name": text},
        )  # fmt: skip


@pytest.fixture
def place(data_dir, settings):
    settings.AUDIT_SIGNERS = ["getihu.audit.signers.ed25519_from_file"]
    settings.MEDIA_ROOT = data_dir / "files"
    settings.STORAGES = settings.STORAGES | {
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"}
    }
    audit.sequence(NOW)
    return data_dir


def everything(folder: Path) -> bytes:
    """Every value of every table, and every file there is."""
    found = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            for row in cursor.fetchall():
                found += [bytes(v) if isinstance(v, memoryview) else str(v).encode() for v in row]
    found += [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    return b"\n".join(found)


def left(content: bytes) -> set[str]:
    """The classes whose canary is there; a notice and a session write it their own way."""
    return {i for i in IDS if canary(i).encode() in content}


def whole_term(kept: retention.KeptClass) -> timedelta:
    unit, count = kept.keep
    return timedelta(days=count * {"days": 1, "months": 31, "years": 366}[unit] + 1)


def test_past_its_term_nothing_of_a_class_is_anywhere(place, tmp_path):
    longest = max(whole_term(kept) for kept in KEPT)
    Plants(dict.fromkeys(IDS, NOW - longest))
    assert left(everything(place)) == set(IDS)
    erased = retention.sweep(NOW)
    assert {name for name, count in erased.items() if count} == set(IDS)
    audit.sequence(NOW)
    assert left(everything(place)) == set()
    backup.make(tmp_path / "next.tar", NOW)
    with tarfile.open(tmp_path / "next.tar") as made:
        parts = b"".join(made.extractfile(m).read() for m in made if m.isfile())
    assert left(parts) == set()
    assert b"canary" not in parts


def test_before_its_term_everything_of_it_is_there(place):
    since = {kept.id: kept.over_before(NOW) + timedelta(hours=2) for kept in KEPT}
    Plants(since | {"licence.shown": NOW + timedelta(days=1)})  # agreed to until today
    erased = retention.sweep(NOW)
    assert left(everything(place)) == set(IDS)
    # The file of the discarded draft was planted as taken out long ago; its form is still there.
    assert {name for name, count in erased.items() if count} == {"files.taken_out"}


def test_control_a_class_without_its_eraser_is_found(place, monkeypatch):
    Plants(dict.fromkeys(IDS, NOW - max(whole_term(kept) for kept in KEPT)))
    kept = [k for k in KEPT if k.id != "notices.addresses"]
    monkeypatch.setattr(retention, "kept_classes", lambda: kept)
    retention.sweep(NOW)
    assert left(everything(place)) == {"notices.addresses"}


def test_a_file_still_in_use_elsewhere_stays(place):
    owner, long_ago = make_cast().owner, NOW - timedelta(days=60)
    first = draft(owner, "same", long_ago)
    second = draft(owner, "same", long_ago)
    file = Attachment.objects.get(case=first).pk
    cases.take_out(first, file, by=owner, at=long_ago)
    digest = Attachment.objects.get(case=second).sha256
    retention.sweep(NOW)
    assert default_storage.exists(path_of(digest))
    assert Attachment.objects.get(case=first).sha256 == ""


def test_it_is_done_once_a_day_and_said_in_the_log(place):
    assert set(retention.sweep_if_due(NOW)) == set(IDS)
    assert retention.sweep_if_due(NOW + timedelta(hours=23)) == {}
    assert set(retention.sweep_if_due(NOW + timedelta(hours=25))) == set(IDS)


def test_a_pass_erases(place):
    Session.objects.create(session_key="x", session_data="y", expire_date=NOW - timedelta(days=3))
    report = cli_ops.PassReport()
    cli_ops._erase(NOW, report)
    assert report.erased == 1


def test_a_class_that_fails_holds_up_no_other(place, monkeypatch):
    Session.objects.create(session_key="x", session_data="y", expire_date=NOW - timedelta(days=3))
    monkeypatch.setattr("getihu.accounts.services.erase_attempts", None)
    with pytest.raises(TypeError):
        retention.sweep(NOW)
    assert not Session.objects.exists()
    monkeypatch.undo()
    assert retention.sweep_if_due(NOW)  # not said to be done, so due again


def test_a_term_below_what_the_law_wants_does_not_load():
    raw = next(c for c in yaml.safe_load(retention.FILE.read_text("utf-8")) if c.get("at_least"))
    short = copy.deepcopy(raw) | {"keep": {"months": 5}}
    with pytest.raises(retention.RetentionBroken, match=r"log\.events.*短"):
        retention.read_class(short)


def test_no_page_lets_anybody_erase_what_has_a_term():
    """The routes that take something away are the trader's own drafts, files and consents."""
    routes = {row.route for row in policy.policy() if "DELETE" in row.methods}
    assert routes == set()
    assert not any(word in row.route for row in policy.policy() for word in ("erase", "retention"))


def test_on_sqlite_what_is_erased_is_overwritten():
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL takes it off the disk by vacuum")
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA secure_delete")
        assert cursor.fetchone()[0] == 1
