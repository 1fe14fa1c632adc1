"""窗口代办: a shop opened at the counter for somebody without an account, and claimed by her."""

import uuid
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from getihu.accounts import services as accounts
from getihu.accounts.models import Account, Claim
from getihu.accounts.selectors import actor_of, list_operators
from getihu.audit.models import Event
from getihu.cases import selectors as cases
from getihu.cases import services as casework
from getihu.cases.models import Case
from getihu.entry import services
from getihu.entry.models import Appointment, Filing, Visit
from getihu.notifications.models import Notice
from tests.cases.cast import AT, LUCHENG, days, make_cast, person

pytestmark = pytest.mark.django_db
OFFICE = f"amr-{LUCHENG}"
NAME = "示例 新店主"
ANSWERS = {
    "premises": "鹿城区五马街道公安路23号",
    "scope": "餐饮服务",
    "industry_code": "6210",
    "composition": "personal",
}


@pytest.fixture
def cast():
    return make_cast()


@pytest.fixture
def visit(cast):
    services.walk_in(OFFICE, matters=["entry.opening"], by=cast.window, at=AT)
    return services.call_next(OFFICE, by=cast.window, at=AT)


def verified(name=NAME, subject="1", at=AT):
    """Somebody the identity provider vouches for."""
    return actor_of(accounts.open_by_identity("zjzwfw", subject, name, at=at), at)


def opened(cast, visit, name=NAME):
    case = services.open_shop_for(visit, name, by=cast.window, at=AT)
    services.save_for(visit, case, ANSWERS, submits=True, by=cast.window, at=AT)
    return case


def registered(cast, visit):
    case = opened(cast, visit)
    casework.accept(case, by=cast.window, at=AT)
    casework.finish_stage(case, "registration", passed=True, by=cast.window, at=AT)
    return case


def test_a_shop_is_opened_for_her_and_nobody_can_sign_in_as_her(cast, visit):
    case = Case.objects.get(pk=registered(cast, visit))
    row = Visit.objects.get()
    assert case.state == "granted"
    filing = Filing.objects.get()
    assert row.trader_code == filing.trader_code  # the counter goes on with the code she got
    owner = row.account
    assert list_operators([filing.trader_code]) == {filing.trader_code: [owner.pk]}
    assert filing.content["operator"] == str(owner.pk)
    assert str(case.opened_by_id) == cast.window.account_id  # the record says who filled it in
    assert not owner.has_usable_password()
    assert owner.identity_subject is None
    services.answer(visit, "执照办好了", by=cast.window, at=AT)
    with pytest.raises(services.BadVisit):  # and no longer the officer either
        services.save_for(visit, case.pk, {}, submits=False, by=cast.window, at=AT)


def test_shop_cases_and_notices_become_hers_by_the_code_of_her_slip(cast, visit):
    case = registered(cast, visit)
    code = services.print_claim(visit, by=cast.window, at=AT)
    services.answer(visit, "执照办好了", by=cast.window, at=AT)
    her = verified("示例新店主", at=days(1))  # the same name, written otherwise
    waiting = Notice.objects.filter(obligation=f"case:{case}")
    assert waiting.exists()
    with pytest.raises(cases.CaseNotFound):
        cases.get_case(case, actor=her, on=days(1).date())
    assert services.claim_shop(code.lower().replace("-", " "), by=her, at=days(1))
    her = actor_of(her.account_id, days(1))
    shop = Filing.objects.get().trader_code
    assert list_operators([shop]) == {shop: [uuid.UUID(her.account_id)]}
    assert cases.get_case(case, actor=her, on=days(1).date())
    assert {str(n.recipient_id) for n in waiting.all()} == {her.account_id}
    claim = Claim.objects.get()
    assert actor_of(claim.account_id, days(1)).is_anonymous  # the account that stood in is closed
    kinds = set(Event.objects.filter(kind__startswith="account.").values_list("kind", flat=True))
    assert {"account.opened_at_window", "account.claim_code_made", "account.claimed"} <= kinds
    assert services.claim_shop(code, by=her, at=days(1))  # a second click is no error
    other = verified(NAME, "2", at=days(1))
    assert not services.claim_shop(code, by=other, at=days(1))  # and nobody else's


def test_a_case_under_way_goes_on_in_her_hands(cast, visit):
    case = opened(cast, visit)
    code = services.print_claim(visit, by=cast.window, at=AT)
    her = verified(at=days(1))
    assert services.claim_shop(code, by=her, at=days(1))
    casework.accept(case, by=cast.window, at=days(1))
    casework.finish_stage(case, "registration", passed=True, by=cast.window, at=days(2))
    assert Filing.objects.get().content["operator"] == her.account_id
    assert Filing.objects.get().trader_code in actor_of(her.account_id, days(2)).own


@pytest.mark.parametrize("how", ["another name", "too late", "void", "made up"])
def test_what_does_not_fit_claims_nothing_and_does_not_say_why(cast, visit, how):
    opened(cast, visit)
    code = services.print_claim(visit, by=cast.window, at=AT)
    at = AT + timedelta(days=91) if how == "too late" else AT
    if how == "void":
        services.print_claim(visit, by=cast.window, at=AT)
    her = verified("示例别人" if how == "another name" else NAME)
    assert not services.claim_shop("AAAA-BBBB-CCCC" if how == "made up" else code, by=her, at=at)
    assert not actor_of(her.account_id, at).own
    assert Event.objects.filter(kind="account.claim_failed").count() == 1


def test_tries_are_limited_for_a_person_and_for_a_code(cast, visit):
    opened(cast, visit)
    code = services.print_claim(visit, by=cast.window, at=AT)
    guesser = verified(subject="guesser")
    for _ in range(accounts.CLAIM_TRIES):
        assert not services.claim_shop("AAAA-BBBB-CCCC", by=guesser, at=AT)
    with pytest.raises(accounts.ClaimRefused, match="明天再试"):  # even with the right one
        services.claim_shop(code, by=guesser, at=AT)
    for number in range(accounts.CLAIM_TRIES):  # others who found the slip
        assert not services.claim_shop(code, by=verified("示例别人", str(number)), at=AT)
    assert not services.claim_shop(code, by=verified(subject="her"), at=AT)
    again = services.print_claim(visit, by=cast.window, at=AT)  # she comes back to the counter
    assert services.claim_shop(again, by=verified(subject="her too"), at=AT)


def test_only_a_verified_person_claims(cast, visit):
    opened(cast, visit)
    code = services.print_claim(visit, by=cast.window, at=AT)
    unverified = person(NAME)  # a password alone says nothing about who she is
    for actor in (unverified, cast.window, cast.colleague):
        with pytest.raises(accounts.ClaimRefused, match="核验过身份"):
            services.claim_shop(code, by=actor, at=AT)
    claim = Claim.objects.get()
    with pytest.raises(IntegrityError), transaction.atomic():  # nor by a write into the table
        Claim.objects.update(claimed_by=claim.opened_by, claimed_at=AT)


def test_who_booked_with_her_own_account_needs_no_slip(cast):
    her = verified()
    services.book(OFFICE, days(1), matters=["entry.opening"], by=her, at=AT)
    services.check_in(Appointment.objects.get().code, by=cast.window, at=days(1))
    visit = services.call_next(OFFICE, by=cast.window, at=days(1))
    services.open_shop_for(visit, "示例新店主", by=cast.window, at=days(1))
    assert not Claim.objects.exists()
    assert Case.objects.get().trader_code in actor_of(her.account_id, days(1)).own
    with pytest.raises(accounts.ClaimRefused, match="不用认领"):
        services.print_claim(visit, by=cast.window, at=days(1))


def test_the_document_of_another_than_who_booked_opens_an_account_of_its_own(cast):
    booker = verified()
    services.book(OFFICE, days(1), matters=["entry.opening"], by=booker, at=AT)
    services.check_in(Appointment.objects.get().code, by=cast.window, at=days(1))
    visit = services.call_next(OFFICE, by=cast.window, at=days(1))
    services.open_shop_for(visit, "示例别人", by=cast.window, at=days(1))
    assert not actor_of(booker.account_id, days(1)).own
    assert Claim.objects.get().account.name == "示例别人"


def test_a_shop_elsewhere_is_told_before_it_is_handed_in_and_the_draft_stays(cast, visit):
    case = services.open_shop_for(visit, NAME, by=cast.window, at=AT)
    there = ANSWERS | {"premises": "瑞安市安阳街道万松路1号"}
    services.save_for(visit, case, there, submits=False, by=cast.window, at=AT)
    with pytest.raises(services.FilingRefused, match=r"在瑞安市.*鹿城区的登记机关"):
        services.save_for(visit, case, {}, submits=True, by=cast.window, at=AT)
    row = Case.objects.get(pk=case)
    assert (row.state, row.form["premises"]) == ("draft", there["premises"])
    unsaid = {"premises": "市场路12号"}  # which county it does not say: an officer asks
    services.save_for(visit, case, unsaid, submits=True, by=cast.window, at=AT)


@pytest.mark.parametrize("name", ["", " ", "阿", "330302199001010000", "名" * 61])
def test_what_is_no_name_opens_nothing(cast, visit, name):
    with pytest.raises(accounts.ClaimRefused, match="身份证件上的姓名"):
        services.open_shop_for(visit, name, by=cast.window, at=AT)
    assert not Account.objects.filter(login__startswith="window-").exists()
    assert not Case.objects.exists()


def test_a_code_is_for_who_stands_here_and_showed_her_document(cast, visit):
    with pytest.raises(services.BadVisit, match="身份证件"):
        services.print_claim(visit, by=cast.window, at=AT)
    opened(cast, visit)
    with pytest.raises(services.BadVisit, match="首问责任人"):
        services.print_claim(visit, by=cast.colleague, at=AT)
    with pytest.raises(services.BadVisit, match="另一家店"):
        services.open_shop_for(visit, NAME, by=cast.window, at=AT)
