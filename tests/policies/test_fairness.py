"""Fair-competition review: passages of the text, flips of the code, answers before anything is paid."""

from pathlib import Path

import pytest

from getihu.accounts.contracts import Role
from getihu.policies import services
from getihu.policies.fairness.flips import flip_rule
from getihu.policies.fairness.text import patterns, review_text
from getihu.rulebook import selectors as rulebook
from tests.policies.conftest import AT, PROGRAMME, RULE, officer


def found(text: str) -> list[str]:
    return [passage.pattern for passage in review_text(text)]


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("申报企业须在本市注册并纳税。", "local_registration"),
        ("补助对象仅限本市经营者。", "local_registration"),
        ("应当在本市设立独立法人子公司。", "separate_entity"),
        ("享受补助的，5年内不得迁出。", "separate_entity"),
        ("统一购买某某公司的收银设备。", "designated_dealer"),
        ("优先采购本地产品。", "preference_for_local_goods"),
        ("仅支持国有企业。", "ownership"),
        ("按其地方财政贡献给予奖励。", "named_firms"),
        ("对年营业收入达到2000万元的给予奖励。", "size_threshold"),
        ("需经街道同意后方可营业，须先备案方可经营。", "illegal_approval"),
        ("投标供应商必须具有本地业绩。", "discriminating_bids"),
        ("快餐统一价格。", "price_intervention"),
    ],
)
def test_a_passage_is_found_with_its_article_and_place(text, pattern):
    passages = [p for p in review_text(f"第一行没有问题。\n{text}") if p.pattern == pattern]
    assert passages, found(text)
    (first, *_) = passages
    assert first.line == 2
    assert f"第一行没有问题。\n{text}"[first.start : first.end] == first.quote
    assert first.article.startswith("公平竞争审查条例 第")


@pytest.mark.parametrize(
    "text",
    [
        "不得指定供应商。",
        "严禁指定供应商，禁止限制外地商品进入。",
        "不得以在本市注册为条件。",
        "不得优先采购本地产品。",
        "取消按地方财政贡献给予奖励的做法。",
        "小规模纳税人减半征收资源税。",
        "食品经营依法应当经许可后方可经营。",
        "",
    ],
)
def test_what_forbids_it_or_the_law_itself_is_no_passage(text):
    assert found(text) == []


def test_every_pattern_names_an_article_and_is_tried():
    tried = Path(__file__).read_text("utf-8")
    for pattern in patterns():
        assert f'"{pattern.id}"' in tried


@pytest.mark.django_db
def test_flips_see_a_rule_that_looks_at_form_and_place(city, settings, tmp_path):
    folder = tmp_path / "rules"
    folder.mkdir()
    own = Path("src/getihu/gateways/demo_city/rules")
    for path in own.glob("*.yaml"):
        (folder / path.name).write_text(path.read_text("utf-8"), "utf-8")
    settings.DEMO_DIRS = {**settings.DEMO_DIRS, "rules": folder}
    sound = {
        flip.id: flip for flip in flip_rule(rulebook.get_rule(RULE, city.as_of), as_of=city.as_of)
    }
    # The demo's policy is for individuals: the form alone decides, the place does not.
    assert sound["legal_form"].tried > 20
    assert sound["legal_form"].lose > 0
    assert (sound["registered_place"].lose, sound["registered_place"].win) == (0, 0)
    assert not sound["ownership"].can_tell
    rule = folder / f"{RULE}.yaml"
    text = rule.read_text("utf-8")
    rule.write_text(
        text.replace(
            'when: "insured_employees >= 1"',
            "when: \"insured_employees >= 1 and county_code in ('330302', '330381')\"",
        ),
        "utf-8",
    )
    unequal = {
        flip.id: flip for flip in flip_rule(rulebook.get_rule(RULE, city.as_of), as_of=city.as_of)
    }
    assert unequal["registered_place"].is_unequal


@pytest.mark.django_db
def test_nothing_is_paid_before_every_finding_is_answered_by_a_named_person(city, writer):
    with pytest.raises(services.NotAwardable, match="公平竞争审查"):
        services.plan_run(PROGRAMME, by=writer, at=AT)
    review = services.review_rule(RULE)
    assert {f.id for f in review.findings} >= {"no_legal_basis", "flip.legal_form"}
    (first, *rest) = review.findings
    answer = {"ground": "促进个体工商户发展条例允许", "article": "第十三条", "at": AT}
    with pytest.raises(services.NotAllowed):
        services.answer_finding(RULE, first.id, by=writer, **answer)
    chief = officer(Role.SUPERVISOR)
    with pytest.raises(services.NotNow, match="依据"):
        services.answer_finding(RULE, first.id, by=chief, **{**answer, "article": " "})
    for finding in (first, *rest):
        services.answer_finding(RULE, finding.id, by=chief, **answer)
    with pytest.raises(services.NotNow, match="已经答复"):
        services.answer_finding(RULE, first.id, by=chief, **answer)
    assert services.review_rule(RULE).is_answered
    assert services.plan_run(PROGRAMME, by=writer, at=AT).state == "planned"
