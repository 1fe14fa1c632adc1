"""我能开这个店吗: the trade from plain words, the permits from the rules, question by question."""

from datetime import date
from urllib.parse import parse_qs, urlparse

import pytest

from getihu.entry import selectors
from getihu.entry.opening import permits, trades
from getihu.kernel.errors import InvalidInput
from getihu.reference import selectors as reference
from getihu.rulebook import selectors as rulebook

ON = date(2026, 11, 24)
LUCHENG = "330302"
NOODLES = "6291"


def verdicts(trade: str, **written: str) -> dict[str, str]:
    answer = selectors.answer_opening(trade, LUCHENG, written, ON)
    return {each.rule_id: each.verdict for each in answer.permits}


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


def test_every_answer_of_every_rule_means_something():
    for entry in permits.catalogue():
        rule = rulebook.get_rule(entry["rule"], ON)
        assert set(dict(rule.values)) == set(entry["answers"]), entry["rule"]
        assert all(meant["verdict"] in permits.VERDICTS for meant in entry["answers"].values())
        inputs = {each.name for each in rule.inputs}
        assert all(set(told) <= inputs for told in entry.get("told", {}).values())


def test_fifty_square_metres_and_a_tenth_more_differ():
    small = selectors.answer_opening(NOODLES, LUCHENG, {"place_m2": "50.0"}, ON)
    large = selectors.answer_opening(NOODLES, LUCHENG, {"place_m2": "50.1"}, ON)
    assert small.permits[0].title == "小餐饮店登记证"
    assert small.permits[0].verdict == "filing"
    assert large.permits[0].title == "食品经营许可"
    assert large.permits[0].term == "20个工作日"


def test_only_prepackaged_food_means_a_filing():
    found = verdicts(
        "5213",
        serves_meals_here="否",
        sells_food="是",
        only_farm_produce="否",
        only_prepackaged="是",
    )
    assert found["entry.open_food"] == "filing"


def test_what_the_trade_says_is_not_asked():
    answer = selectors.answer_opening(NOODLES, LUCHENG, {}, ON)
    assert answer.question.fact == "place_m2"  # that a noodle shop cooks is known


def test_questions_end_and_what_is_not_known_stays_unknown():
    written: dict[str, str] = {}
    while (answer := selectors.answer_opening(NOODLES, LUCHENG, written, ON)).question:
        assert answer.question.fact not in written
        written[answer.question.fact] = ""
    assert answer.verdict == "unknown"
    assert (
        len(written) == 4
    )  # room, gathering, tobacco, sewer; the hygiene permit waits for a person


def test_the_heaviest_of_all_is_the_verdict():
    known = {"is_public_gathering": "是", "sells_tobacco": "否", "drains_to_sewer": "否"}
    shop = {"serves_meals_here": "否", "sells_food": "否"}
    answer = selectors.answer_opening("5232", LUCHENG, {**known, **shop}, ON)
    assert answer.verdict == "promise"
    heavier = selectors.answer_opening(
        "5232", LUCHENG, {**known, **shop, "sells_tobacco": "是"}, ON
    )
    assert heavier.verdict == "permit"


def test_a_trade_nobody_listed_is_no_leave():
    answer = selectors.answer_opening("7241", LUCHENG, {}, ON)
    assert not answer.is_covered
    assert answer.verdict == "unknown"


def test_a_wrong_answer_is_refused():
    with pytest.raises(InvalidInput):
        selectors.answer_opening(NOODLES, LUCHENG, {"place_m2": "很大"}, ON)


# the page


pytestmark = pytest.mark.django_db


def test_from_the_words_to_what_it_takes(client):
    page = client.get("/open/", {"text": "开一家面馆", "county": LUCHENG}).content.decode()
    assert "小吃服务" in page
    asked = {"trade": NOODLES, "county": LUCHENG}
    page = client.get("/open/", asked).content.decode()
    assert "使用面积是多少平方米" in page
    asked |= {"a.place_m2": "38", "a.is_public_gathering": "是", "a.sells_tobacco": "否"}
    page = client.get("/open/", {**asked, "a.drains_to_sewer": "是"}).content.decode()
    for said in ("营业执照", "小餐饮店登记证", "告知承诺", "污水排入排水管网许可", "还不能判断"):
        assert said in page
    assert "下一步" not in page


def test_what_cannot_be_read_is_said_and_the_rest_kept(client):
    asked = {
        "trade": NOODLES,
        "county": LUCHENG,
        "a.is_public_gathering": "否",
        "a.place_m2": "很大",
    }
    answer = client.get("/open/", asked)
    assert answer.status_code == 422
    page = answer.content.decode()
    assert 'name="a.is_public_gathering" value="否"' in page
    assert "使用面积是多少平方米" in page


def test_not_known_is_an_answer_and_can_be_taken_back(client):
    asked = {"trade": NOODLES, "county": LUCHENG, "skip": "place_m2"}
    page = client.get("/open/", asked).content.decode()
    assert "使用面积是多少平方米" not in page
    assert "不知道" in page


@pytest.mark.parametrize(
    "asked",
    [{"trade": "0000"}, {"trade": "<b>", "county": "999999"}, {"text": "x" * 500}, {"a.": "1"}],
)
def test_nonsense_breaks_nothing(client, asked):
    assert client.get("/open/", asked).status_code in (200, 422)


def test_an_unknown_county_is_asked_again(client):
    answer = client.get("/open/", {"trade": NOODLES, "county": "640202"})
    assert answer.status_code == 200
    assert urlparse(answer.request["PATH_INFO"]).path == "/open/"
    assert "开在哪里" in answer.content.decode()
    assert parse_qs(answer.request["QUERY_STRING"])["county"] == ["640202"]
