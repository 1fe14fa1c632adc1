"""By application: only what departments do not know is asked, one question at a time."""

import json
import re
import uuid
from datetime import date

import pytest

from getihu.cases.models import Case
from getihu.kernel.errors import InvalidInput
from getihu.policies import selectors, services
from getihu.policies.selectors.applications import NotApplicable, can_apply
from tests.policies.conftest import AT, operator
from tests.policies.test_pages import as_person

pytestmark = pytest.mark.django_db(transaction=True)
ON = date(2026, 10, 31)
SUBSIDY = "policies.social_insurance_subsidy_2025"
HARDSHIP, PAID = "is_hardship_person", "personal_insurance_yuan"


@pytest.fixture
def code(city) -> str:
    from getihu.rulebook import selectors as rulebook

    snapshot = rulebook.dataplane.get_published_snapshot().snapshot_id
    granted = rulebook.list_granted("policies.six_taxes_half", city.as_of, snapshot)
    return granted[0].trader_code


@pytest.fixture
def hers(code):
    return operator(code)


def begin(code, hers) -> uuid.UUID:
    return services.open_application(SUBSIDY, code, by=hers, on=ON, at=AT)


def asked(case_id, hers) -> list[str]:
    """The facts asked about, one after the other, answered 不知道."""
    facts = []
    while (now := selectors.get_application(case_id, actor=hers, on=ON)).question is not None:
        facts.append(now.question.fact)
        services.answer(case_id, now.question.fact, "", by=hers, on=ON)
    return facts


def test_only_what_she_alone_knows_is_asked(code, hers):
    facts = asked(begin(code, hers), hers)
    from getihu.dataplane import selectors as dataplane

    assert facts
    assert not set(facts) & set(dataplane.fact_catalogue())


def test_an_answer_is_kept_and_can_be_taken_back(code, hers):
    case_id = begin(code, hers)
    first = selectors.get_application(case_id, actor=hers, on=ON).question
    made = services.answer(case_id, first.fact, "是", by=hers, on=ON)
    assert made.answers[0][2] == "是"
    again = selectors.get_application(case_id, actor=hers, on=ON)
    assert again.answers == made.answers  # kept between pages
    back = services.take_back(case_id, first.fact, by=hers, on=ON)
    assert back.answers == ()
    assert back.question.fact == first.fact


def test_what_a_department_holds_cannot_be_answered(code, hers):
    case_id = begin(code, hers)
    with pytest.raises(NotApplicable):
        services.answer(case_id, "insured_employees", "9", by=hers, on=ON)
    assert json.loads(Case.objects.get(pk=case_id).form["answers"]) == {}


def test_a_wrong_answer_is_refused_and_nothing_is_lost(code, hers):
    case_id = begin(code, hers)
    question = selectors.get_application(case_id, actor=hers, on=ON).question
    with pytest.raises(InvalidInput):
        services.answer(case_id, question.fact, "大概吧", by=hers, on=ON)
    assert selectors.get_application(case_id, actor=hers, on=ON).question.fact == question.fact


def test_it_is_handed_in_when_nothing_is_left_to_ask(code, hers, supervisor, worker):
    case_id = begin(code, hers)
    with pytest.raises(NotApplicable):
        services.hand_in(case_id, by=hers, on=ON, at=AT)
    asked(case_id, hers)
    services.hand_in(case_id, by=hers, on=ON, at=AT)
    case = Case.objects.get(pk=case_id)
    assert case.state == "submitted"
    assert "不知道" in case.form["summary"]
    assert case.form["outcome"]
    assert case.form["version"]


@pytest.fixture
def worker(code):
    """Somebody at the office where the shop is, to take the case."""
    from getihu.accounts import services as accounts
    from getihu.accounts.contracts import Duty, Role
    from getihu.registry import selectors as registry
    from tests.policies.conftest import BEFORE

    key = accounts.open_account(login="taker", name="示例", duty=Duty.BUSINESS, at=BEFORE)
    county = registry.get_trader(code).county_code
    accounts.assign(
        key, Role.WINDOW_OFFICER, agency="amr", division=county, reason="到岗", at=BEFORE, by=None
    )


def test_taxes_conversion_and_ended_policies_are_not_applied_for(city):
    able = {each.id for each in selectors.list_readings(ON) if can_apply(each)}
    assert SUBSIDY in able
    assert "policies.income_tax_half" not in able
    assert "policies.conversion_direct_change" not in able  # only the owner converts
    assert "policies.expansion_subsidy_2025" not in able


def test_nobody_else_reads_or_answers(code, hers):
    from getihu.cases.selectors import CaseNotFound

    case_id = begin(code, hers)
    stranger = operator("92330302MA2ABC001M")
    for attempt in (
        lambda: selectors.get_application(case_id, actor=stranger, on=ON),
        lambda: services.answer(case_id, HARDSHIP, "是", by=stranger, on=ON),
        lambda: services.hand_in(case_id, by=stranger, on=ON, at=AT),
    ):
        with pytest.raises(CaseNotFound):
            attempt()


def test_she_applies_on_the_pages(client, code, hers, worker):
    as_person(client, hers)
    page = client.get(f"/mine/policies/{SUBSIDY}/apply/").content.decode()
    assert "最多问您" in page
    once = re.search(r'name="once" value="([^"]+)"', page).group(1)
    path = client.post(f"/mine/policies/{SUBSIDY}/apply/", {"once": once, "trader": code}).url
    page = client.get(path).content.decode()
    steps = 0
    while 'name="fact"' in page and "下一步" in page:
        fact = re.search(r'name="fact" value="([^"]+)"', page).group(1)
        assert client.post(f"{path}say/", {"do": "answer", "fact": fact}).status_code == 422
        client.post(f"{path}say/", {"do": "skip", "fact": fact})
        page = client.get(path).content.decode()
        steps += 1
    assert 0 < steps <= 2
    once = re.search(r'name="once" value="([^"]+)"', page).group(1)
    for _ in range(2):
        answer = client.post(f"{path}say/", {"do": "submit", "once": once})
        assert answer.status_code == 302
    assert Case.objects.filter(state="submitted").count() == 1
    assert client.get(path).status_code == 302  # nothing to change any more
    assert client.get("/mine/matters/policies.application/").url == "/policies/"
    home = client.get("/mine/").content.decode()
    assert "申请一项政策" in home
