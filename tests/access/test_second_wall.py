"""Row-level security beyond cases: on PostgreSQL a query that forgot its scope reads no foreign
award, notice, filing, certificate or rating either."""

import uuid
from datetime import date, timedelta

import pytest
from django.apps import apps
from django.db import connection

from getihu.access.wall import over_the_wall, walled
from getihu.accounts.contracts import ANONYMOUS, Actor, Duty, Grant, Purpose, Role, Scope
from getihu.entry.models import Appointment, Filing, HandingOver, RegisterRow, Visit, WindowSlot
from getihu.evaluations.models import Rating, RatingContact, Rectification
from getihu.evaluations.selectors import visible_rectifications
from getihu.growth.models import (
    ConflictItem,
    Exit,
    HumanProfile,
    Membership,
    Objection,
    PoolRun,
    Recommendation,
    RecordLink,
    Refresh,
    RefreshHold,
    Removal,
    TypeMove,
    TypeReview,
)
from getihu.growth.selectors import conflict_owners
from getihu.notifications import selectors as notices
from getihu.notifications import services as notifications
from getihu.notifications.contracts import NoticeRequest
from getihu.notifications.models import Address, Notice
from getihu.passport.models import Certificate, PresentationRequest, Scan, WalletKey
from getihu.policies.models import Award, AwardRun, Budget, MatchConsent, PayeeAccount
from getihu.policies.selectors import visible_awards
from getihu.registry.models import Consent
from getihu.supervision.models import Breach, RecordNote, RepairSend
from getihu.supervision.models import Visit as Inspection
from getihu.support.models import Appeal
from tests.cases.cast import AT, SHOP, id_of, make_cast, officer

FAR = "92330382MA2JXW6N1X"
TODAY = date(2026, 11, 2)
CONFLICT = next(iter(conflict_owners()))
on_postgresql = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="SQLite has no row-level security"
)

# Tables with a trader's code that stand behind no wall, and why.
OPEN = {
    "accounts_authorisation": "asked to find out who somebody is, before any wall can stand",
    "accounts_ownership": "asked to find out who somebody is, before any wall can stand",
    "entry_allottedcode": "the number of a code and no more; looked at to allot the next",
    "passport_showtoken": "digests of codes of a minute; the code is the way to a row",
    "policies_subjectalias": "which code followed which; asked by every award",
}


@pytest.fixture
def rows(db):
    """One row of each kind for a shop in 鹿城 and for one in 乐清."""
    cast = make_cast()
    made = {SHOP: "330302001", FAR: "330382001"}
    budget = Budget.objects.create(programme_id="p", period="2026", total_cents=10_000)
    run = AwardRun.objects.create(
        programme_id="p", period="2026", family="f", rule_id="r", rule_version="v", as_of=TODAY,
        snapshot_id="s", state="allotted", is_dry=False, planned_at=AT,
    )  # fmt: skip
    for place, (code, division) in enumerate(made.items()):
        who = cast.owner if code == SHOP else cast.stranger
        Award.objects.create(
            id=uuid.uuid4(), run=run, budget=budget, family="f", subject=code, period="2026",
            trader_code=code, division=division, position=place, cents=100, state="entitled",
            slip_sha256="", slip=b"", confirm_until=TODAY, entitled_at=AT,
        )  # fmt: skip
        PayeeAccount.objects.create(
            trader_code=code, sealed=b"", ending="0000", bank="x", consented_at=AT,
            by_id=who.account_id,
        )  # fmt: skip
        MatchConsent.objects.create(trader_code=code, article="a", since=AT, by_id=who.account_id)
        Notice.objects.create(
            obligation=f"x:{code}", stage="s", channel="in_app", recipient_id=who.account_id,
            template_id="case.ended", title="t", text="t", state="sent", queued_at=AT, sent_at=AT,
        )  # fmt: skip
        Address.objects.create(account_id=who.account_id, channel="sms", value=code)
        RegisterRow.objects.create(
            trader_code=code, through=1, status="active", county_code=division[:6],
            town_code=division, entry={},
        )  # fmt: skip
        Filing.objects.create(
            trader_code=code, sequence=1, kind="baseline", effective_on=TODAY, filed_at=AT,
            content={"status": "active", "status_on": "2026-01-05"},
        )  # fmt: skip
        Certificate.objects.create(
            trader_code=code, kind="licence", place=place, key_id="k", text="t", sha256=code,
            issued_at=AT,
        )  # fmt: skip
        WalletKey.objects.create(trader_code=code, sealed=b"", made_at=AT)
        Scan.objects.create(trader_code=code, at=AT, audience="public", shown=[], answer="valid")
        rating = Rating.objects.create(
            matter_id="entry.catering_opening", agency="amr", division=division, on=TODAY, grade=1,
            channel="web", code_digest=code,
        )  # fmt: skip
        RatingContact.objects.create(rating=rating, value="x")
        Rectification.objects.create(number=code, rating=rating, due_on=TODAY)
        Consent.objects.create(
            trader_code=code, purpose="profile", article="a", how="online", given_at=AT,
            by_id=who.account_id,
        )  # fmt: skip
    of_the_window(cast, made)
    of_growth(cast, made)
    of_appeals(cast, made)
    return cast


def of_appeals(cast, made):
    for code, division in made.items():
        near = code == SHOP
        Appeal.objects.create(
            number=f"S-{code[-8:]}", channel="web", text=f"问{code}", place=division,
            trader_code=code, complainant_id=(cast.owner if near else cast.stranger).account_id,
            code_digest=code, agency="amr", division=division[:6], received_at=AT,
            owner_id=(cast.window if near else cast.elsewhere).account_id,
        )  # fmt: skip


def of_the_window(cast, made):
    for code, division in made.items():
        near = code == SHOP
        office = f"amr-{division[:6]}"
        slot = WindowSlot.objects.create(
            office_id=office, starts_at=AT, ends_at=AT + timedelta(minutes=30), capacity=2
        )
        owner = cast.owner if near else cast.stranger
        Appointment.objects.create(
            code=code[-8:], slot=slot, office_id=office, on=TODAY, starts_at=AT, place=1,
            trader_code=code, visitor=code, booked_by_id=owner.account_id, booked_at=AT,
        )  # fmt: skip
        Visit.objects.create(
            office_id=office, on=TODAY, sequence=1, trader_code=code, question=f"问{code}",
            state="pending", owner_id=(cast.window if near else cast.elsewhere).account_id,
            arrived_at=AT, called_at=AT,
        )  # fmt: skip


def of_growth(cast, made):
    run = PoolRun.objects.create(
        pool_id="famous", as_of=TODAY, snapshot_id="s", rule_version="v", at=AT
    )
    review = TypeReview.objects.create(
        as_of=TODAY, snapshot_id="s", rule_version="v", settling_version="v", state="told",
        proposed_sha256="x", traders_count=2, moved_count=2, reviewed_at=AT, object_until=TODAY,
    )  # fmt: skip
    clerk = id_of(cast.window)
    for code, division in made.items():
        county = division[:6]
        belief = {"pool_id": "famous", "level": "city", "trader_code": code, "county_code": county}
        Membership.objects.create(
            **belief, valid_from=TODAY, known_from=AT, why="machine", ground="x", run=run
        )
        Exit.objects.create(
            **belief, run=run, takes_away=False, state="told", told_at=AT, object_until=TODAY
        )
        kept = Refresh.objects.create(
            pool_id="famous", county_code=county, year=2026, as_of=TODAY, run=run, state="listed",
            members_count=1, added_count=1, removed_count=0, list_sha256="x", listed_at=AT,
            listed_by_id=clerk,
        )  # fmt: skip
        RefreshHold.objects.create(refresh=kept, trader_code=code, case_id=uuid.uuid4())
        TypeMove.objects.create(
            review=review, trader_code=code, county_code=county, before="surviving", after="growing"
        )
        RecordLink.objects.create(
            dataset="x", record=code, written={}, trader_code=code, division=division, weight=1,
            probability=0.5, evidence=[], state="review", made_at=AT,
        )  # fmt: skip
        ConflictItem.objects.create(
            rule_id=CONFLICT, trader_code=code, department="amr", division=division, found_at=AT,
            found_in="s", reason="x",
        )  # fmt: skip
        HumanProfile.objects.create(case=uuid.uuid4(), trader_code=code, outcome="x", decided_at=AT)
        Objection.objects.create(
            case=uuid.uuid4(), trader_code=code, department="amr", dataset="x", fact="x",
            shown="1", value_digest="x", snapshot_id="s", as_of=TODAY, opened_at=AT, slip=b"{}",
            slip_sha256="x",
        )  # fmt: skip
        Removal.objects.create(
            pool_id="famous", level="county", trader_code=code, county_code=county,
            valid_from=TODAY, reason="x", article="x", removed_at=AT, object_until=TODAY,
            by_id=clerk,
        )  # fmt: skip
        Inspection.objects.create(
            trader_code=code, place=division, agency="amr", kind="targeted", basis="x", cause="x",
            year=2026, code=code[-12:], made_at=AT,
        )  # fmt: skip
        Breach.objects.create(
            trader_code=code, place=division, agency="amr", item="farm_produce",
            kind="farm_produce", found_on=TODAY, what="x", noted_at=AT, noted_by_id=clerk,
        )  # fmt: skip
        RecordNote.objects.create(trader_code=code, place=division, record=f"penalties:{code}")
        RepairSend.objects.create(
            number=code, case=uuid.uuid4(), trader_code=code, place=division, record="x",
            network="market", content={}, not_before=TODAY, made_at=AT,
        )  # fmt: skip
        Recommendation.objects.create(
            window_id="w", trader_code=code, kind="famous", department="amr", reason="x",
            by_id=clerk, at=AT,
        )  # fmt: skip


TRADERS = (
    *(Award, PayeeAccount, MatchConsent, RegisterRow, Filing, Certificate, WalletKey, Scan),
    *(Consent, Appointment, Visit),
    *(Membership, Exit, TypeMove, RefreshHold, Recommendation, Objection, HumanProfile, Removal),
    *(Inspection, Breach, RecordNote, RepairSend, Appeal),
)
OF_AN_OFFICE = (RecordLink, ConflictItem)  # what is not sure yet, or not hers to mend


def codes(model) -> set[str]:
    return set(model.objects.values_list("trader_code", flat=True))


def in_role(role: Role, agency: str, division: str) -> Actor:
    return Actor("z", "z", Duty.BUSINESS, (Grant(role, agency, Scope(frozenset({division}))),))


@on_postgresql
def test_a_trader_sees_her_own_and_who_has_leave_sees_it_too(rows):
    helper = Actor("h", "h", Duty.PERSON, authorised=frozenset({(SHOP, Purpose.VIEW)}))
    for who in (rows.owner, helper):
        with walled(who):
            assert {model.__name__: codes(model) for model in TRADERS} == {
                model.__name__: {SHOP} for model in TRADERS
            }
            assert not Rating.objects.exists()
            assert not RatingContact.objects.exists()
    with walled(ANONYMOUS):
        assert not any(codes(model) for model in TRADERS)
        assert not Notice.objects.exists()
    assert all(codes(model) == {SHOP, FAR} for model in TRADERS)


@on_postgresql
def test_both_walls_agree_on_awards_and_rectifications(rows):
    people = [
        *vars(rows).values(),
        ANONYMOUS,
        *(in_role(r, "amr", d) for r in Role for d in ("330300", "330302", "330382001")),
        in_role(Role.SUPERVISOR, "a%", "330300"),
    ]
    reached = set()
    for actor in people:
        awards = set(visible_awards(actor).values_list("pk", flat=True))
        mended = set(visible_rectifications(actor).values_list("pk", flat=True))
        with walled(actor):
            assert set(Award.objects.values_list("pk", flat=True)) == awards
            assert set(Rectification.objects.values_list("pk", flat=True)) == mended
        reached |= {len(awards), len(mended) + 10}
    assert reached == {0, 1, 2, 10, 11, 12}


@on_postgresql
def test_an_office_sees_filings_of_its_places_and_nobody_s_wallet(rows):
    with walled(rows.fire):
        assert codes(Filing) == codes(RegisterRow) == {SHOP}
        assert not codes(Certificate) | codes(WalletKey) | codes(Scan) | codes(MatchConsent)
    with walled(in_role(Role.BANK_CLERK, "bank", "330300")):
        assert not any(codes(model) for model in TRADERS)


@on_postgresql
def test_an_office_sees_what_it_tends_in_its_places_and_a_bank_nothing(rows):
    tended = (Appointment, Visit, Membership, Exit, TypeMove, RefreshHold, Removal, Inspection,
              Breach, RecordNote, RepairSend, *OF_AN_OFFICE)  # fmt: skip
    with walled(rows.superior):
        assert {m.__name__: codes(m) for m in tended} == {m.__name__: {SHOP} for m in tended}
        assert not codes(Consent) | codes(HumanProfile) | codes(Objection)
    with walled(rows.elsewhere):
        assert codes(Visit) == codes(Appointment) == codes(RecordLink) == {FAR}
    with walled(rows.fire):
        assert not codes(Visit) | codes(Appointment) | codes(RecordLink) | codes(ConflictItem)
    with walled(in_role(Role.BANK_CLERK, "bank", "330300")):
        assert not any(codes(model) for model in tended)


@on_postgresql
def test_a_question_that_is_offered_is_seen_by_who_is_asked(rows):
    visit = Visit.objects.get(trader_code=SHOP)
    HandingOver.objects.create(
        visit=visit, from_owner_id=rows.window.account_id, to_owner_id=rows.fire.account_id,
        offered_by_id=rows.window.account_id, reason="x", offered_at=AT,
    )  # fmt: skip
    with walled(rows.fire):
        assert codes(Visit) == {SHOP}
        assert codes(Appointment) == set()


@on_postgresql
def test_a_query_that_forgot_its_scope_finds_no_visit_link_or_list_line_of_others(rows):
    """The scopes of ``visible_visits`` and ``links_in_reach`` taken out: the wall still stands."""
    with walled(rows.window):
        assert {row.office_id for row in Visit.objects.all()} == {"amr-330302"}
        assert {row.division for row in RecordLink.objects.all()} == {"330302001"}
        assert {row.county_code for row in Membership.objects.all()} == {"330302"}
    assert Visit.objects.count() == RecordLink.objects.count() == Membership.objects.count() == 2


@on_postgresql
def test_notices_and_where_one_is_reached_are_one_s_own(rows):
    with walled(rows.owner):
        assert notices.count_unread(id_of(rows.stranger)) == 0
        assert notices.count_unread(id_of(rows.owner)) == 1
        assert set(Address.objects.values_list("value", flat=True)) == {SHOP}
        # Telling somebody else is everybody's to do, also twice.
        told = NoticeRequest(f"x:{FAR}", "s", id_of(rows.stranger), "case.ended", VALUES)
        assert notifications.queue(told, at=AT) == 0


VALUES = {"matter": "变更", "result": "已办结"}


@on_postgresql
def test_a_bank_sees_what_it_asked_and_was_shown_and_no_other_bank_s(rows):
    bank = officer("bank", Role.BANK_CLERK, "bank", "330300")
    other = officer("other", Role.BANK_CLERK, "bank2", "330300")
    PresentationRequest.objects.create(
        asked_by_id=bank.account_id, agency="bank", scene="s", wanted=[], purpose="p", nonce="n",
        asked_at=AT, answer_by=AT + timedelta(days=1), until=TODAY, trader_code=SHOP,
        answered_at=AT, shown={"name": "x"},
    )  # fmt: skip
    for actor, count in ((bank, 1), (rows.owner, 1), (other, 0), (rows.stranger, 0)):
        with walled(actor):
            assert PresentationRequest.objects.count() == count


@on_postgresql
@pytest.mark.parametrize("model", [*TRADERS, *OF_AN_OFFICE, Notice, Address, Rating, Rectification])
def test_control_without_its_policy_a_table_shows_everything(rows, model):
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"DROP POLICY {model._meta.db_table}_wall ON {model._meta.db_table}")
        cursor.execute(f"ALTER TABLE {model._meta.db_table} DISABLE ROW LEVEL SECURITY")
    with walled(ANONYMOUS):
        assert model.objects.count() == 2


@on_postgresql
def test_over_the_wall_is_for_a_moment_and_survives_a_failed_statement(rows):
    with walled(ANONYMOUS):
        with over_the_wall():
            assert Award.objects.count() == 2
        assert Award.objects.count() == 0


@on_postgresql
def test_every_table_of_traders_stands_behind_the_wall(db):
    """It grows by itself: a new table with a trader's code is walled, or says above why not."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname FROM pg_class WHERE relrowsecurity AND relforcerowsecurity")
        behind = {name for (name,) in cursor.fetchall()}
    of_traders = {
        model._meta.db_table
        for model in apps.get_models()
        if any(field.name == "trader_code" for field in model._meta.fields)
    }
    assert of_traders - behind == set(OPEN)
