"""Suggestions: better than always saying the commonest, and never more than suggestions."""

import pytest

from bench import appeals
from getihu.support.appeals.learner import Learner, macro_f1
from getihu.support.appeals.nearness import NEAR, nearness
from getihu.support.appeals.subjects import list_subjects

SAID = {
    "power": "店里电表一直跳闸，想增容，供电所说要等两个月",
    "street_occupation": "我在路口摆摊卖早餐，城管天天来赶，能不能进疏导点",
    "late_payment": "给机关食堂送了半年菜，货款一直拖欠不付钱",
    "registration": "父亲的执照想转到我名下，变更经营者怎么这么麻烦",
    "malicious_claims": "有个职业打假的人专门来敲诈，要我赔一千",
    "tax": "今年核定的定额税太高了，生意差，能不能调",
    "fire_safety": "消防检查说我疏散通道太窄，整改要花很多钱",
    "platform": "外卖平台抽成涨到百分之二十几，还要我二选一",
    "loan": "银行说我征信不够，续贷不给放款",
    "fumes_noise": "楼上说我油烟大，装了净化器还是被邻居投诉",
    "officer_conduct": "来检查的人态度恶劣，还要红包，不给就刁难",
    "repeated_checks": "一个月几个部门都来，天天检查，生意没法做",
}


@pytest.fixture(scope="module")
def learner() -> Learner:
    return Learner((w, s.id) for s in list_subjects() for w in (*s.words, s.title))


def test_plain_sentences_find_their_subject(learner):
    first = {wanted: learner.rank(text) for wanted, text in SAID.items()}
    among = [wanted for wanted, ranked in first.items() if wanted in dict(ranked)]
    best = [wanted for wanted, ranked in first.items() if ranked[0][0] == wanted]
    assert len(among) == len(SAID) and len(best) >= len(SAID) - 2
    assert all(0 <= share <= 1 for ranked in first.values() for _, share in ranked)


def test_nothing_in_common_is_no_suggestion(learner):
    assert learner.rank("zzz") == [] and learner.rank("") == []


def test_what_people_decided_is_learned():
    samples = [(w, s.id) for s in list_subjects() for w in s.words]
    text = "隔壁装卸货把路都堵住了"
    before = Learner(samples).rank(text)
    after = Learner([*samples, *[("装卸货堵住了路", "roadworks")] * 3]).rank(text)
    assert after[0][0] == "roadworks" and (not before or before[0][1] <= after[0][1])


def test_macro_f1_by_hand():
    assert macro_f1(["a", "a", "b"], ["a", "b", "b"]) == pytest.approx((2 / 3 + 2 / 3) / 2)
    assert macro_f1(["a", "b"], ["a", "a"]) == pytest.approx((2 / 3 + 0) / 2)


def test_same_place_written_differently_reads_near():
    assert nearness("五马街停电三天了", "五马街道停电3天，没有电") > NEAR > nearness("停电", "发票")


def test_real_petitions_are_told_apart_far_better_than_by_the_commonest():
    """The numbers stand in docs/benchmarks/appeals.md."""
    if not (appeals.SHARED / appeals.PETITIONS).exists():
        pytest.skip(f"评测数据不在：{appeals.PETITIONS}")
    data = appeals.read()
    score, floor = appeals.cross_validated(data, seed=0)
    assert len(data) == 130 and floor < 0.2
    assert score > 0.75
