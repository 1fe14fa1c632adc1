"""我能开这个店吗: the trade from plain words, the permits from the rules, question by question."""

from datetime import date
from pathlib import Path
from urllib.parse import parse_qs

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from getihu.entry import selectors
from getihu.entry.opening import market_entry, permits, trades
from getihu.entry.opening.verdicts import BOTTOM, LEVELS, Verdict, join
from getihu.kernel.errors import InvalidInput
from getihu.reference import selectors as reference
from getihu.rulebook import selectors as rulebook

ON = date(2026, 11, 24)
LUCHENG = "330302"
WUMA = "330302006"
NOODLES = "6291"
SHOP = {"has_fixed_shop": "是"}


def levels(*codes: str, place: str = LUCHENG, **written: str) -> dict[str, str]:
    answer = selectors.answer_opening(codes, place, written, ON)
    return {each.rule_id: each.level for each in answer.permits}


def permit(rule_id: str, *codes: str, place: str = LUCHENG, **written: str):
    answer = selectors.answer_opening(codes, place, written, ON)
    return next(each for each in answer.permits if each.rule_id == rule_id)


@pytest.mark.parametrize(
    ("text", "trade"),
    [
        ("我想在五马街开一家面馆", "6291"),
        ("开个小超市", "5212"),
        ("卖水果", "5223"),
        ("想开理发店", "8040"),
        ("修电动车", "8114"),
        ("做家具的作坊", "2110"),
        ("网上卖童装", "5232"),
        ("代理记账", "7241"),
        ("养猪", "0313"),
    ],
)
def test_plain_words_find_the_trade(text, trade):
    guesses = selectors.guess_trades(text)
    assert guesses[0].code == trade
    assert len(guesses) <= 5


@pytest.mark.parametrize(
    ("part", "first", "among"), [("looked_at", 0.9, 0.95), ("kept", 0.75, 0.82)]
)
def test_how_often_the_right_class_is_first_and_among_five(part, first, among, record_property):
    file = Path(__file__).parent / "trade_descriptions.yaml"
    described = yaml.safe_load(file.read_text("utf-8"))[part]
    found = {text: [g.code for g in selectors.guess_trades(text)] for text in described}
    top = sum(bool(f) and f[0] in described[text] for text, f in found.items()) / len(found)
    five = sum(any(c in described[text] for c in f) for text, f in found.items()) / len(found)
    record_property(part, {"first": round(top, 3), "among_five": round(five, 3)})
    print(f"\n{part}：{len(found)} 条，第一个就对 {top:.1%}，前五个里有 {five:.1%}")
    assert top >= first and five >= among


def test_words_without_a_trade_find_none():
    assert selectors.guess_trades("……") == []
    assert selectors.guess_trades("") == []


def test_every_word_names_classes_of_the_standard():
    wrong = [
        (word, code)
        for word, codes in trades.words().items()
        for code in codes
        if not reference.is_industry_code(code)
    ]
    assert wrong == []


# The lattice

VERDICT = st.builds(Verdict, st.sampled_from(list(LEVELS)), st.booleans())


@given(st.lists(VERDICT, max_size=5), VERDICT)
def test_one_more_trade_never_makes_it_easier(some, more):
    one, both = join(some), join([*some, more])
    assert one.is_within(both) and more.is_within(both)
    assert join([]) == BOTTOM


@given(VERDICT, VERDICT, VERDICT)
def test_the_strictest_does_not_depend_on_the_order(one, two, three):
    assert join([one, two, three]) == join([three, join([two, one])])
    assert join([one, one]) == join([one])


def test_what_is_not_known_unsettles_everything_but_closed():
    unknown = Verdict("open", False)
    assert join([Verdict("filing"), unknown]) == Verdict("filing", False)
    assert join([Verdict("closed"), unknown]) == Verdict("closed", True)


ANSWERS = {
    "has_fixed_shop": ["是", "否"],
    "place_m2": ["38", "50.1"],
    "is_public_gathering": ["是", "否"],
    "sells_tobacco": ["是", "否"],
    "drains_to_sewer": ["是", "否"],
    "sign_kind": ["shop", "big"],
    "in_stall_zone": ["是", "否"],
    "in_school_ban": ["是", "否"],
    "sells_food_online": ["是", "否"],
    "only_prepackaged": ["是", "否"],
    "only_farm_produce": ["是", "否"],
}
WRITTEN = st.fixed_dictionaries({}, optional={k: st.sampled_from(v) for k, v in ANSWERS.items()})


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.sampled_from([NOODLES, "6210", "5226", "5213", "5291", "8040", "7263"]), max_size=3
    ),
    WRITTEN,
    st.sampled_from(list(ANSWERS)),
    st.integers(0, 1),
)
def test_an_answer_or_a_trade_more_never_takes_back_what_was_sure(codes, written, fact, which):
    """What was at least asked for stays asked for when one more thing is known."""
    before = selectors.answer_opening(codes, LUCHENG, written, ON).verdict
    if fact not in written:
        more = {**written, fact: ANSWERS[fact][which]}
        assert before.is_within(selectors.answer_opening(codes, LUCHENG, more, ON).verdict)
    added = selectors.answer_opening([*codes, "5223"], LUCHENG, written, ON).verdict
    assert before.is_within(added)


# Which trades a sole trader may enter


@pytest.mark.parametrize(
    ("trade", "law"),
    [
        ("6020", "22号"),
        ("7291", "旅行社条例"),
        ("7263", "第五十七条"),
        ("9013", "第八条"),
        ("5128", "第十五条"),
    ],
)
def test_trades_that_law_keeps_for_companies_are_closed_with_the_way_out(trade, law):
    answer = selectors.answer_opening([trade], LUCHENG, {}, ON)
    assert answer.verdict.at_least == "closed"
    assert law in answer.entries[0].law and answer.entries[0].way


def test_a_part_of_a_class_that_is_closed_leaves_it_open_and_unsettled():
    answer = selectors.answer_opening(["5191"], LUCHENG, {"sells_food": "否"}, ON)
    assert answer.entries[0].only == "回收、拆解报废机动车的"
    assert not answer.verdict.is_settled and answer.verdict.at_least != "closed"


def test_a_trade_on_no_list_says_that_the_list_was_not_read():
    (entry,) = market_entry.market_entries(NOODLES)
    assert entry.verdict.at_least == "open" and not entry.is_listed
    assert "没有读到" in entry.why and "待核" in entry.why


def test_every_row_has_its_source_and_names_classes():
    for row in market_entry.market_rows():
        assert row["law"] and row["way"] and row["trust"] in ("L", "M"), row["title"]
        assert row["verdict"] in LEVELS
        for prefix in row["trades"]:
            assert any(i.code.startswith(prefix) for i in reference.list_industry_classes()), prefix


# Permits


def test_every_answer_of_every_rule_means_something():
    departments = {each.code for each in reference.list_departments()}
    for entry in permits.catalogue():
        rule = rulebook.get_rule(entry["rule"], ON)
        assert set(dict(rule.values)) == set(entry["answers"]), entry["rule"]
        assert all(meant["verdict"] in LEVELS for meant in entry["answers"].values())
        inputs = {each.name for each in rule.inputs}
        assert all(set(told) <= inputs for told in entry.get("told", {}).values())
        assert entry.get("department", next(iter(departments))) in departments
        for meant in entry["answers"].values():
            assert meant["verdict"] in ("open", "closed") or "when" in meant, entry["rule"]


def test_fifty_square_metres_and_a_tenth_more_differ():
    small = permit("entry.open_food", NOODLES, **SHOP, place_m2="50.0")
    large = permit("entry.open_food", NOODLES, **SHOP, place_m2="50.1")
    assert (small.title, small.level, small.step) == ("小餐饮店登记证", "filing", "with")
    assert (large.title, large.level, large.term) == ("食品经营许可", "permit", "20个工作日")
    assert ("使用面积不超过50平方米", "50 平方米", "小餐饮店认定条件（≤50平方米）") in small.depends


def test_only_prepackaged_food_means_a_filing():
    found = levels("5229", only_farm_produce="否", only_prepackaged="是")
    assert found["entry.open_food"] == "filing"


def test_bulk_food_is_registered_and_what_was_not_read_stays_open():
    found = permit("entry.open_food", "5229", only_farm_produce="否", only_prepackaged="否")
    assert found.level == "filing" and not found.verdict.is_settled and "没有读到" in found.note


def test_what_the_trade_says_is_not_asked():
    answer = selectors.answer_opening([NOODLES], LUCHENG, SHOP, ON)
    assert answer.question.fact == "place_m2"  # that a noodle shop cooks is known


def test_questions_end_and_what_is_not_known_stays_unknown():
    written: dict[str, str] = {}
    while (answer := selectors.answer_opening([NOODLES], LUCHENG, written, ON)).question:
        assert answer.question.fact not in written
        written[answer.question.fact] = ""
    assert not answer.verdict.is_settled
    assert len(written) <= 10  # nobody answers more in a row


def test_the_strictest_of_all_is_the_verdict():
    known = {"is_public_gathering": "是", "sells_tobacco": "否", "sign_kind": "none"}
    known |= {"serves_meals_here": "否", "sells_food": "否"}
    assert selectors.answer_opening(["5232"], LUCHENG, known, ON).verdict == Verdict("promise")
    both = selectors.answer_opening(["5232", "5251"], LUCHENG, known, ON).verdict
    assert both.at_least == "permit"


def test_two_trades_in_one_shop_keep_their_own_permits_and_the_office_settles_food():
    written = {**SHOP, "place_m2": "38", "only_prepackaged": "是", "only_farm_produce": "否"}
    answer = selectors.answer_opening([NOODLES, "5229"], LUCHENG, written, ON)
    food = {p.title: p.trades for p in answer.permits if p.rule_id == "entry.open_food"}
    assert food == {
        "小餐饮店登记证": ("小吃服务",),
        "仅销售预包装食品备案": ("其他食品零售",),
    }
    assert answer.is_mixed


# Here


def test_the_address_names_the_offices():
    found = permit("entry.open_fire", NOODLES, place=WUMA)
    assert found.agency == "鹿城区消防救援大队"
    assert permit("entry.open_stall", NOODLES, place=WUMA).agency.endswith("（五马街道）")
    assert permit("entry.open_food", NOODLES, place="330383").agency == "龙港市市场监督管理局"
    assert selectors.answer_opening([NOODLES], WUMA, {}, ON).registrar == "鹿城区市场监督管理局"


def test_a_stall_by_a_school_is_closed_and_an_unknown_zone_stays_unknown():
    stall = {"has_fixed_shop": "否", "in_stall_zone": "是"}
    assert permit("entry.open_stall", NOODLES, **stall, in_school_ban="是").level == "closed"
    assert permit("entry.open_stall", NOODLES, **stall, in_school_ban="否").level == "open"
    assert permit("entry.open_stall", NOODLES, **stall).level == "unknown"
    assert permit("entry.open_stall", NOODLES, **stall, in_school_ban="").level == "unknown"
    assert permit("entry.open_food", NOODLES, **stall).title == "食品摊贩登记卡"


def test_a_stall_sells_no_food_online():
    stall = {"has_fixed_shop": "否", "sells_food_online": "是"}
    assert permit("entry.open_food_online", NOODLES, **stall).level == "closed"
    assert permit("entry.open_food_online", NOODLES, **SHOP, sells_food_online="是").step == "with"


def test_a_karaoke_in_a_house_of_flats_is_closed_here_and_permitted_elsewhere():
    assert permit("entry.open_entertainment", "9011", is_barred_spot="是").level == "closed"
    elsewhere = permit("entry.open_entertainment", "9011", is_barred_spot="否", place=WUMA)
    assert (elsewhere.level, "听证" in elsewhere.note) == ("permit", True)


@pytest.mark.parametrize("value", ["0", "-3", "99999999"])
def test_an_area_that_cannot_be_is_refused(value):
    with pytest.raises(InvalidInput, match="面积"):
        selectors.answer_opening([NOODLES], LUCHENG, {**SHOP, "place_m2": value}, ON)


def test_a_trade_nobody_listed_is_no_leave():
    answer = selectors.answer_opening(["7241"], LUCHENG, {}, ON)
    assert not answer.is_covered
    assert not answer.verdict.is_settled


def test_a_wrong_answer_is_refused():
    with pytest.raises(InvalidInput):
        selectors.answer_opening([NOODLES], LUCHENG, {**SHOP, "place_m2": "很大"}, ON)


# the page


pytestmark = pytest.mark.django_db
ALL = {
    "a.has_fixed_shop": "是",
    "a.place_m2": "38",
    "a.is_public_gathering": "是",
    "a.sells_tobacco": "否",
    "a.drains_to_sewer": "是",
    "a.sells_food_online": "否",
    "a.sign_kind": "shop",
}


def text_of(client, asked):
    return client.get("/open/", asked).content.decode()


def test_from_the_words_to_what_it_takes(client):
    asked = {"text": "开一家面馆", "premises": "鹿城区五马街道公安路23号"}
    page = text_of(client, asked)
    assert "小吃服务" in page and "鹿城区五马街道" in page
    asked = {"trade": NOODLES, "premises": asked["premises"], "a.has_fixed_shop": "是"}
    assert "使用面积是多少平方米" in text_of(client, asked)
    page = text_of(client, asked | ALL)
    for said in ("营业执照", "小餐饮店登记证", "告知承诺", "污水排入排水管网许可", "还不能判断"):
        assert said in page
    assert "鹿城区消防救援大队" in page and "开业以后要做到的" in page
    assert "下一步" not in page


def test_two_trades_are_chosen_and_one_taken_back(client):
    page = text_of(client, {"trade": [NOODLES, "5226"], "county": LUCHENG})
    assert "小吃服务" in page and "酒、饮料及茶叶零售" in page
    assert "trade=5226" in page


def test_what_cannot_be_read_is_said_and_the_rest_kept(client):
    asked = {
        "trade": NOODLES,
        "county": LUCHENG,
        "a.has_fixed_shop": "是",
        "a.is_public_gathering": "否",
        "a.place_m2": "很大",
    }
    answer = client.get("/open/", asked)
    assert answer.status_code == 422
    page = answer.content.decode()
    assert 'name="a.is_public_gathering" value="否"' in page
    assert "使用面积是多少平方米" in page


def test_not_known_is_an_answer_and_can_be_taken_back(client):
    asked = {"trade": NOODLES, "county": LUCHENG, "a.has_fixed_shop": "是", "skip": "place_m2"}
    page = text_of(client, asked)
    assert "使用面积是多少平方米" not in page
    assert "不知道" in page


def test_a_closed_trade_says_how_it_could_be(client):
    page = text_of(client, {"trade": "7263", "county": LUCHENG})
    assert "劳务派遣不能以个体工商户办" in page and "办成公司" in page
    assert "去办营业执照" not in page


def test_an_address_that_cannot_be_is_explained(client):
    page = text_of(client, {"text": "面馆", "premises": "鹿城区灵溪镇建设路0号"})
    assert "苍南县灵溪镇" in page and "门牌号不会是0号" in page


def test_an_address_with_several_answers_is_asked_about(client):
    page = text_of(client, {"trade": NOODLES, "premises": "永嘉县上塘镇环城西路1号"})
    assert 'name="place"' in page and "北城街道" in page
    page = text_of(
        client, {"trade": NOODLES, "premises": "永嘉县上塘镇环城西路1号", "place": "330324002"}
    )
    assert "永嘉县北城街道" in page


@pytest.mark.parametrize(
    "asked",
    [
        {"trade": "0000"},
        {"trade": "<b>", "county": "999999"},
        {"text": "x" * 500},
        {"a.": "1"},
        {"place": "110101", "trade": NOODLES},
    ],
)
def test_nonsense_breaks_nothing(client, asked):
    assert client.get("/open/", asked).status_code in (200, 422)


def test_an_unknown_county_is_asked_again(client):
    answer = client.get("/open/", {"trade": NOODLES, "county": "640202"})
    assert answer.status_code == 200
    assert "开在哪里" in answer.content.decode()
    assert parse_qs(answer.request["QUERY_STRING"])["county"] == ["640202"]
