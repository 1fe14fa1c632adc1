"""Write a policy, pass its gates, have a second person publish it; change it, end it."""

import re
from datetime import date
from pathlib import Path

import pytest
from django.db import IntegrityError, transaction

from getihu.accounts.contracts import Role
from getihu.kernel.errors import GetihuError
from getihu.policies import selectors, services
from getihu.policies.models import PolicyDraft
from getihu.policies.services.rights import NotAllowed, NotNow
from getihu.rulebook import selectors as rulebook
from getihu.rulebook import services as rules
from tests.policies.conftest import AT, officer
from tests.policies.test_pages import as_person, post

pytestmark = pytest.mark.django_db(transaction=True)
ON = date(2026, 11, 9)
TEXT = """\
id: policies.small_loan_2027
title: 小额贷款贴息（测试用）
kind: eligibility
code: 测试
source: {document: 演示城市示例政策，不是真实文件, title: 测试, article: 第一条, url: https://example.org/, trust: S}
region: "330300"
subjects: [individual]
valid_from: 2026-01-01
valid_until: 2027-01-01
decides_on: as_of
date_note: 按判定当日。
benefit: {kind: 服务, text: 给登记满12个月的个体工商户提供贷款辅导。}
legal_basis: {text: 促进个体工商户发展条例 第十四条, kind: regulation}
parameters:
  least_months: {label: 登记满几个月, value: 12, unit: month, source: 第一条}
clauses:
  is_active:
    label: 登记在册
    when: "registration_status = 'active'"
    article: 第一条
  is_settled:
    label: 登记满12个月
    when: "registered_months >= least_months"
    article: 第一条
requires: {all_of: [is_active, is_settled]}
"""
CASES = """\
defaults: {registration_status: active, registered_months: 12}
cases:
  - {name: 刚满, as_of: 2026-06-01, facts: {}, expect: yes}
  - {name: 差一个月, as_of: 2026-06-01, facts: {registered_months: 11}, expect: no}
  - {name: 已注销, as_of: 2026-06-01, facts: {registration_status: cancelled}, expect: no}
  - {name: 没有月数, as_of: 2026-06-01, facts: {registered_months: null}, expect: unknown, missing: [registered_months]}
  - {name: 没有登记状态, as_of: 2026-06-01, facts: {registration_status: null}, expect: unknown, missing: [registration_status]}
"""  # fmt: skip
RULE_ID = "policies.small_loan_2027"
ENDS = TEXT[TEXT.index("valid_until") : TEXT.index(", text: 给登记满")]


@pytest.fixture
def chief(city, settings):
    settings.PUBLISHED_RULES_DIR = Path(settings.DATA_DIR) / "rules"
    return officer(Role.SUPERVISOR)


@pytest.fixture
def written(writer, chief):
    made = services.begin_draft(RULE_ID, "330300", by=writer, at=AT)
    return services.save_draft(made.pk, TEXT, CASES, by=writer, at=AT)


def answer_all(draft, chief) -> None:
    _, review = services.full_check(draft.pk, on=ON)
    for finding in review.findings:
        if not finding.answer:
            services.answer_draft(
                draft.pk, finding.id, ground="测试", article="某条例 第一条", by=chief, on=ON, at=AT
            )


def published(draft, writer, chief):
    services.submit_draft(draft.pk, by=writer, on=ON, at=AT)
    answer_all(draft, chief)
    return services.publish_draft(draft.pk, by=chief, on=ON, at=AT)


def gates(draft) -> dict[str, bool]:
    made, _ = services.full_check(draft.pk, on=ON)
    return {gate.id: gate.is_met for gate in made.gates}


def test_a_new_policy_is_published_and_decides(written, writer, chief, city):
    published(written, writer, chief)
    assert rulebook.get_rule(RULE_ID).title == "小额贷款贴息（测试用）"
    assert RULE_ID in {each.id for each in selectors.list_readings(ON)}
    rules.sweep(as_of=city.as_of)
    assert rulebook.sweep_counts(city.as_of)[RULE_ID]["yes"] > 0


def test_the_author_cannot_publish_whatever_her_duties(written, writer, chief, city):
    both = officer(Role.POLICY_WRITER)
    from getihu.accounts import services as accounts
    from tests.policies.conftest import BEFORE

    accounts.assign(both.account_id, Role.SUPERVISOR, agency="hrss", division="330300",
                    reason="到岗", at=BEFORE, by=None)  # fmt: skip
    from getihu.accounts.selectors import actor_of

    both = actor_of(both.account_id, AT)
    services.submit_draft(written.pk, by=both, on=ON, at=AT)
    answer_all(written, chief)
    with pytest.raises(NotAllowed):
        services.publish_draft(written.pk, by=both, on=ON, at=AT)
    with pytest.raises(IntegrityError), transaction.atomic():
        PolicyDraft.objects.filter(pk=written.pk).update(published_by=both.account_id)


@pytest.mark.parametrize(
    ("before", "after", "gate"),
    [
        ("value: 12, unit", "value: 24, unit", "labels"),
        ("legal_basis: {text: 促进个体工商户发展条例 第十四条, kind: regulation}\n", "", "basis"),
        ("registered_months >= least", "registered_monthz >= least", "sound"),
        ("registered_months >= least", "registered_months > least", "cases"),
        (ENDS, ENDS.replace("2027-01-01", "null").replace("kind: 服务", "kind: 奖励"), "term"),
    ],
)
def test_each_gate_holds_a_draft_back(written, writer, before, after, gate):
    assert before in TEXT
    services.save_draft(written.pk, TEXT.replace(before, after), CASES, by=writer, at=AT)
    made = selectors.check_draft(TEXT.replace(before, after), CASES, on=ON)
    assert {g.id for g in made.gates if not g.is_met} >= {gate}
    with pytest.raises(NotNow):
        services.submit_draft(written.pk, by=writer, on=ON, at=AT)


def test_an_unanswered_review_holds_it_back(written, writer, chief):
    text = TEXT.replace("kind: 服务", "kind: 奖励").replace("kind: regulation", "kind: local")
    services.save_draft(written.pk, text, CASES, by=writer, at=AT)
    services.submit_draft(written.pk, by=writer, on=ON, at=AT)
    assert not gates(written)["fairness"]
    with pytest.raises(NotNow, match="公平竞争审查"):
        services.publish_draft(written.pk, by=chief, on=ON, at=AT)
    answer_all(written, chief)
    assert gates(written)["fairness"]
    services.publish_draft(written.pk, by=chief, on=ON, at=AT)


def test_a_changed_version_needs_its_drift_report(written, writer, chief, city):
    published(written, writer, chief)
    rules.sweep(as_of=city.as_of)
    again = services.begin_draft(RULE_ID, "330300", by=writer, at=AT)
    text = TEXT.replace("value: 12, unit", "value: 24, unit").replace("满12个月", "满24个月")
    cases = CASES.replace("registered_months: 12}", "registered_months: 24}")
    services.save_draft(again.pk, text, cases, by=writer, at=AT)
    assert not gates(again)["drift"]
    services.make_report(again.pk, by=writer, on=ON, at=AT)
    assert gates(again)["drift"]
    published(again, writer, chief)
    assert rulebook.get_rule(RULE_ID).parameters[0].value == 24
    assert (
        len(list(Path(selectors.get_draft(again.pk, actor=chief).id and _folder()).glob("*.yaml")))
        == 2
    )


def _folder() -> str:
    from django.conf import settings

    return str(settings.PUBLISHED_RULES_DIR)


def test_an_end_is_published_the_same_way(written, writer, chief, city):
    published(written, writer, chief)
    ended = services.begin_draft(RULE_ID, "330300", by=writer, at=AT)
    text = TEXT.replace("valid_until: 2027-01-01", "valid_until: 2026-11-01")
    services.save_draft(ended.pk, text, CASES, by=writer, at=AT)
    published(ended, writer, chief)
    assert selectors.get_reading(RULE_ID, ON).state == "ended"


def test_a_later_version_starts_by_itself(written, writer, chief, city):
    published(written, writer, chief)
    later = services.begin_draft(RULE_ID, "330300", by=writer, at=AT)
    text = TEXT.replace("2027-01-01", "2028-01-01").replace("2026-01-01", "2027-01-01")
    text = text.replace("value: 12, unit", "value: 6, unit").replace("满12个月", "满6个月")
    cases = (
        CASES.replace("2026-06-01", "2027-06-01")
        .replace("registered_months: 12}", "registered_months: 6}")
        .replace("registered_months: 11}", "registered_months: 5}")
    )
    services.save_draft(later.pk, text, cases, by=writer, at=AT)
    published(later, writer, chief)
    assert rulebook.get_rule(RULE_ID, date(2026, 12, 31)).parameters[0].value == 12
    assert rulebook.get_rule(RULE_ID, date(2027, 1, 1)).parameters[0].value == 6


def test_a_crash_before_writing_loses_nothing(written, writer, chief, monkeypatch):
    from getihu.policies.services import writing

    monkeypatch.setattr(writing.transaction, "on_commit", lambda _: None)  # the process dies here
    published(written, writer, chief)
    with pytest.raises(rulebook.UnknownRule):
        rulebook.get_rule(RULE_ID)
    assert services.write_published() == 2
    assert rulebook.get_rule(RULE_ID)
    assert services.write_published() == 0


def test_a_condition_is_put_together_in_chinese(written, writer):
    services.add_condition(
        written.pk,
        {"fact": "insured_employees", "operator": ">=", "value": "3", "article": "第二条"},
        by=writer,
        at=AT,
    )
    services.add_condition(
        written.pk,
        {"fact": "is_seriously_dishonest", "operator": "false", "article": "第三条"},
        by=writer,
        at=AT,
    )
    draft = PolicyDraft.objects.get(pk=written.pk)
    made = selectors.check_draft(draft.text, draft.cases_text, on=ON)
    assert made.rule is not None, made.problems
    said = rulebook.clause_sentences(made.rule)
    assert said["on_insured_employees"] == "单位参保人数不少于3 人"
    assert said["on_is_seriously_dishonest"] == "“列入严重违法失信名单”为否"
    assert made.rule.parameter_by_name["on_insured_employees_standard"].source == "第二条"
    assert [c.id for c in made.rule.clauses][-2:] == [
        "on_insured_employees",
        "on_is_seriously_dishonest",
    ]


@pytest.mark.parametrize(
    "asked",
    [
        {"fact": "insured_employees", "operator": ">=", "value": "三", "article": "第二条"},
        {"fact": "established_on", "operator": ">=", "value": "去年", "article": "第二条"},
        {"fact": "registration_status", "operator": "=", "value": "nothing", "article": "第二条"},
        {"fact": "nothing", "operator": "=", "value": "1", "article": "第二条"},
        {"fact": "insured_employees", "operator": "; drop", "value": "1", "article": "第二条"},
        {"fact": "insured_employees", "operator": ">=", "value": "1", "article": ""},
    ],
)
def test_what_makes_no_condition_is_refused_and_the_text_kept(written, writer, asked):
    with pytest.raises(GetihuError):
        services.add_condition(written.pk, asked, by=writer, at=AT)
    assert PolicyDraft.objects.get(pk=written.pk).text == TEXT


def test_what_is_handed_in_does_not_change(written, writer, chief):
    services.submit_draft(written.pk, by=writer, on=ON, at=AT)
    with pytest.raises(NotNow):
        services.save_draft(written.pk, "x", "y", by=writer, at=AT)
    services.return_draft(written.pk, why="再核对第一条", by=chief, at=AT)
    services.save_draft(written.pk, TEXT, CASES, by=writer, at=AT)


def test_a_rule_in_force_is_taken_up_on_the_page(client, writer, chief):
    as_person(client, writer)
    page = client.get("/desk/policies/").content.decode()
    keys = re.findall(r'name="once" value="([^"]+)"', page)
    asked = {"once": keys[-1], "rule": "policies.startup_loan_national"}
    made = client.post("/desk/policies/begin/", asked).url
    assert "startup_loan_national" in client.get(made).content.decode()


def test_a_what_if_becomes_the_next_version_with_one_press(client, writer, city):
    import uuid

    as_person(client, writer)
    rule_id = "policies.demo_steady_jobs_2026"
    text, cases = rulebook.texts_of(rule_id)
    given = {"rule": rule_id, "text": text.replace("value: 300", "value: 200"), "cases": cases}
    once = str(uuid.uuid4())
    for _ in range(2):  # sent twice, begun once
        answer = client.post("/desk/policies/begin/", {"once": once, **given})
        assert answer.status_code == 302
    assert "value: 200" in PolicyDraft.objects.get().text


def test_on_the_pages(client, writer, chief, city):
    as_person(client, writer)
    page = client.get("/desk/policies/").content.decode()
    made = post(client, "/desk/policies/begin/", page, name="small_loan_2027").url
    page = client.get(made).content.decode()
    assert "公布前要过的关" in page
    look = client.post(f"{made}check/", {"text": TEXT, "cases": CASES}).content.decode()
    assert "登记月数不少于12个月" in look
    assert "<html" not in look
    refused = client.post(f"{made}act/", {"do": "submit", "text": "id: [", "cases": ""})
    assert refused.status_code == 422
    sent = client.post(f"{made}act/", {"do": "submit", "text": TEXT, "cases": CASES})
    assert sent.status_code == 302
    assert client.post(f"{made}act/", {"do": "publish"}).status_code == 422  # not her duty
    as_person(client, chief)
    draft = PolicyDraft.objects.get()
    answer_all(draft, chief)
    page = client.get(made).content.decode()
    assert ">公布<" in page
    assert client.post(f"{made}act/", {"do": "publish"}).url == f"/policies/{RULE_ID}/"
    assert client.get(f"/policies/{RULE_ID}/").status_code == 200
