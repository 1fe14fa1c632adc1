"""Free-text addresses: a current town, a county, or an honest none."""

from collections import Counter

import pytest

from getihu.reference import selectors


@pytest.mark.parametrize(
    ("address", "town", "county", "how"),
    [
        ("浙江省温州市鹿城区五马街道公园路1号", "五马街道", "330302", "town"),
        ("平阳县经济开发区D区", "开发区", "330326", "town"),
        ("泰顺县罗阳鎮1号", "罗阳镇", "330329", "town"),
        ("温州经济技术开发区天河街道3号", "天河街道", "330303", "town"),
        ("温州市瓯海区瞿溪镇机械工业区31幢", "瞿溪街道", "330304", "former town"),
        ("洞头县北岙镇中心街", "北岙街道", "330305", "former town"),
        ("沙城镇大郎桥村", "沙城街道", "330303", "former town"),
        ("温州市瓯海三垟垟河村高垟路132弄", "三垟街道", "330304", "stem"),
        ("温州市双屿工业区", "双屿街道", "330302", "stem"),
        ("平阳县钱仓镇下埠", "鳌江镇", "330326", "merged town"),
        ("温州市瓯海区陈庄村2号", "潘桥街道", "330304", "village"),
    ],
)
def test_finds_the_current_town(address, town, county, how):
    match = selectors.find_town_in_address(address)
    assert (match.how, match.county_code) == (how, county)
    assert selectors.get_town(match.town_code).name == town
    assert match.alternatives == ()


@pytest.mark.parametrize(
    "address",
    ["温州市龙港市站前路1号", "苍南县龙港镇龙跃路66号", "苍南龙港镇1号", "龙港镇1号",
     "苍南县舥艚镇中街1号"],
)  # fmt: skip
def test_longgang_is_a_county_without_towns(address):
    match = selectors.find_town_in_address(address)
    assert (match.county_code, match.town_code) == ("330383", None)


@pytest.mark.parametrize(
    ("address", "county"),
    [
        ("温州市德政中路3号", None),
        ("温州市瓯海大道123号", None),
        ("永嘉路3号", None),
        ("温州市鹿城区新桥路2号", "330302"),
        ("瓯海区新桥街7号", "330304"),
        ("温州农业综合开发区兴安路89号", None),
        ("", None),
    ],
)
def test_a_road_or_a_zone_is_no_place(address, county):
    match = selectors.find_town_in_address(address)
    assert (match.town_code, match.county_code) == (None, county)


@pytest.mark.parametrize(
    ("address", "county", "towns"),
    [
        ("新华村12号", None, {"岩头镇", "灵溪镇"}),
        ("永嘉县瓯北镇千石工业区", "330324", {"瓯北街道", "黄田街道"}),
        ("温州市双屿镇屿头村76号", "330302", {"双屿街道", "丰门街道"}),
    ],
)
def test_offers_alternatives_where_the_text_does_not_choose(address, county, towns):
    match = selectors.find_town_in_address(address)
    assert (match.town_code, match.county_code) == (None, county)
    assert towns & {selectors.get_town(code).name for code in match.alternatives}
    assert len(match.alternatives) > 1


def test_a_town_of_another_county_is_a_conflict_not_an_answer():
    match = selectors.find_town_in_address("龙湾区灵昆街道九村")
    assert (match.how, match.town_code, match.county_code) == ("conflict", None, None)
    assert [selectors.get_town(code).county_code for code in match.alternatives] == ["330305"]


@pytest.mark.parametrize("address", ["广东省广州市天河街道3号", "义乌市稠城街道", "杭州塘下镇"])
def test_another_city_is_outside(address):
    match = selectors.find_town_in_address(address)
    assert (match.how, match.town_code, match.county_code) == ("outside", None, None)


def test_a_county_known_from_elsewhere_is_believed():
    assert selectors.find_town_in_address("新桥街道1号", "330304").county_code == "330304"
    match = selectors.find_town_in_address("五马街道1号", "330304")
    assert (match.town_code, match.county_code, match.how) == (None, "330304", "conflict")


def test_every_current_town_is_found_by_county_and_name():
    missed = [
        town
        for town in selectors.list_towns()
        if selectors.find_town_in_address(f"{town.county_name}{town.name}1号").town_code
        != town.code
    ]
    assert missed == []


def test_a_village_of_the_list_is_never_put_into_another_town():
    outcomes: Counter[str] = Counter()
    for village in selectors.list_villages():
        county = selectors.division_name(village.county_code)
        match = selectors.find_town_in_address(f"{county}{village.name}1号")
        right = match.town_code == village.town_code and match.county_code == village.county_code
        outcomes["right" if right else "wrong" if match.town_code else "open"] += 1
    assert outcomes["wrong"] == 0
    assert outcomes["right"] >= 3500
