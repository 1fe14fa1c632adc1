"""Free-text addresses: a current town, a county, or an honest none."""

import csv
from collections import Counter

import pytest

from getihu.reference import selectors


@pytest.mark.parametrize(
    ("address", "town", "county", "how"),
    [
        ("浙江省温州市鹿城区五马街道公园路1号", "五马街道", "330302", "town"),
        ("温州市瓯海区瞿溪镇机械工业区31幢", "瞿溪街道", "330304", "former town"),
        ("温州市瓯海三垟垟河村高垟路132弄", "三垟街道", "330304", "stem"),
        ("洞头县北岙镇中心街", "北岙街道", "330305", "former town"),
        ("沙城镇大郎桥村", "沙城街道", "330303", "former town"),
    ],
)
def test_finds_the_current_town(address, town, county, how):
    match = selectors.find_town_in_address(address)
    assert match.how == how
    assert match.county_code == county
    assert selectors.get_town(match.town_code).name == town


@pytest.mark.parametrize("address", ["温州市龙港市站前路1号", "苍南县龙港镇龙跃路66号"])
def test_longgang_is_a_county_without_towns(address):
    match = selectors.find_town_in_address(address)
    assert (match.county_code, match.town_code) == ("330383", None)


def test_does_not_guess_where_the_text_does_not_say():
    assert selectors.find_town_in_address("温州市德政中路3号").town_code is None
    ambiguous = selectors.find_town_in_address("新华村12号")
    assert ambiguous.town_code is None


def test_most_real_addresses_reach_a_current_town(shared_dir, record_property):
    path = shared_dir / "data" / "04_registrations" / "wenzhou_individual_households.csv"
    with path.open(encoding="utf-8", newline="") as handle:
        matches = [selectors.find_town_in_address(r["address"]) for r in csv.DictReader(handle)]
    reached = Counter(
        "town" if m.town_code else "龙港市" if m.county_code == "330383" else
        "county only" if m.county_code else "none"
        for m in matches
    )  # fmt: skip
    for name, count in reached.items():
        record_property(name, count)
    print(f"\n388 户真实地址：{dict(reached)}")
    assert sum(reached.values()) == 388
    assert reached["town"] >= 360
    assert reached["龙港市"] == 6
