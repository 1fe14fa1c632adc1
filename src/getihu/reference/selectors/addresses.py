"""Where an address in free text lies today: county and town, or an honest not known.

Addresses carry names of their time: 瞿溪镇 is 瞿溪街道 today, 钱仓镇 a village of 鳌江镇, 龙港镇 a
city without towns. No list of former towns has been published as data, so a former name is traced
by rule, and only where today's lists leave one answer.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache

from getihu.kernel.text import canonical_text, half_width
from getihu.reference.contracts import Town, TownMatch
from getihu.reference.selectors.divisions import (
    CANGNAN,
    LONGGANG,
    WENZHOU,
    get_town,
    list_counties,
    list_divisions,
    list_towns,
    list_villages,
)

_TRADITIONAL = str.maketrans("鎮鄉縣區", "镇乡县区")
_TOWN_SUFFIX = re.compile(r"(街道|镇|乡)$")
_DIVISION_SUFFIX = re.compile(
    r"(省|市|地区|盟|特别行政区|(维吾尔|壮族|回族)?自治区|.{2,6}族自治州|自治州)$"
)
_VILLAGE_SUFFIX = re.compile(r"(居委会|社区|村|居)$")
# A name in front of these is a road, and a road leads elsewhere: 瓯海大道 crosses three districts.
_NOT_A_ROAD = r"(?![东南西北中前后新老大]?(?:路|街(?!道)|巷|弄|大道|大桥|公路|线))"
# In front of these the stem of a town is a village, a river, a hill or a building of that name.
_NOT_A_TOWN = _NOT_A_ROAD + "(?!村|社区|居委会|江|山|岛|湖|大厦|广场|小区)"
# What may stand before a place name: the end of another name, or anything that is not Chinese.
_AFTER_NAME = r"(?:^|(?<=[市县区镇乡道村路街巷弄号幢处园])|(?<=[^\u4e00-\u9fff]))"
# A development zone lies in several towns of several counties and is named before them.
_ZONE = re.compile("(?:温州)?(?:国家级?)?(?:经济技术开发区|经开区|高新技术产业开发区|高新区)")
# Villages at the start of a road's name are part of the road: 林桥头西路 is no village 林桥.
_ROAD_AHEAD = re.compile(
    r"[\u4e00-\u9fff]{1,5}?[东南西北中前后新老大]?(?:路|街(?!道)|巷|弄|大道|大桥|公路)"
)
# Places many villages are called after, and no village in particular.
_GENERIC = frozenset({"工业", "工业园", "工业区", "开发区", "园区", "新区", "中心", "市场"})
# Rules that rest on the name of a town of today, which is nearly always unique in the city.
_BY_TOWN_NAME = frozenset({"town", "former town", "stem"})
_CANGNAN_WORDS = ("苍南县", "苍南")


@dataclass(frozen=True)
class _Found:
    """A place name in the text and the codes it may stand for; 龙港 stands for itself."""

    word: str
    start: int
    end: int
    codes: frozenset[str]


def find_town_in_address(address: str, county_code: str | None = None) -> TownMatch:
    """Return the current county and town an address in free text names, never a guess.

    Rules, the first that finds a name decides (``how``):

    1. ``town``: the full name of a town of today.
    2. ``former town``: the stem of one with another suffix (瞿溪镇 → 瞿溪街道).
    3. ``stem``: the bare stem where a town is expected, unless it names a road.
    4. ``merged town``: a former town whose name one village of the county keeps (钱仓镇 → 鳌江镇).
    5. ``village``: a village or community, when the county has one of that name.

    For 2–4 the village named next must not lie in another town: former towns were also divided.
    Several answers, or such a contradiction, give no town and all ``alternatives``. A town of
    another county than the one named gives ``conflict`` and no county; a text that starts with
    another city gives ``outside``. Without a county in the
    text (the city has villages of one name in many counties) rules 4 and 5 only offer
    alternatives. 龙港市 has no towns: its county code is the whole answer.

    ``county_code``, when known from elsewhere, is believed over the text.
    Cost: about 0.1 ms an address; the name index is built once.
    """
    text = half_width(canonical_text(address)).translate(_TRADITIONAL)
    text = re.sub(r"\s", "", text)
    here = re.match(r"(中国)?(浙江省|浙江)?(温州市|温州(?!经济))?", text)
    text = text[here.end() :] if here else text
    zone = _ZONE.match(text)
    text = text[zone.end() :] if zone else text
    outside = None if county_code or (here and here.group(3)) else _outside_at_start(text)
    if outside:
        return TownMatch(None, None, outside, "outside")
    named, rest = _county_in(text)
    county = county_code or named
    if county == LONGGANG:
        return TownMatch(None, LONGGANG, "龙港", "county")
    for how, found in (
        ("town", _full_names(rest, county)),
        ("former town", _other_suffixes(rest, county)),
        ("stem", _stem_at_start(rest, county)),
        ("merged town", _villages_before(rest, county, "镇|乡")),
        ("village", _villages_before(rest, county, "村|社区|居委会")),
    ):
        if found and (other := _contradicted(how, found, rest, county)):
            return other
        if found:
            return _settle(how, found, rest, county)
    elsewhere = _elsewhere(rest, county) if county else []
    if elsewhere:
        return TownMatch(None, county_code, elsewhere[0].word, "conflict", _codes(elsewhere))
    return TownMatch(None, county, "", "county" if county else "none")


@cache
def _pattern(text: str) -> re.Pattern[str]:
    """The compiled pattern of a place name; re's own cache is smaller than the list of places."""
    return re.compile(text)


# The county


@lru_cache
def _county_names() -> tuple[tuple[re.Pattern[str], str], ...]:
    names = {"洞头县": "330305", "龙港镇": LONGGANG}
    for county in list_counties():
        names[county.name] = county.code
        names[county.name[:-1]] = county.code
    for word in _CANGNAN_WORDS:
        names[word + "龙港"] = LONGGANG
    # 乐清县 and 瑞安县 are former names: any suffix goes with the stem.
    return tuple(
        (re.compile(word if len(word) > 2 else word + "[市县区]?" + _NOT_A_ROAD), code)
        for word, code in sorted(names.items(), key=lambda item: -len(item[0]))
    )


@lru_cache
def _outside_names() -> re.Pattern[str]:
    """Provinces and cities elsewhere, with or without suffix, and the full names of counties."""
    names = set()
    for division in list_divisions():
        if WENZHOU in (division.code, division.parent_code) or division.code == "330000":
            continue
        if division.level < 3:
            names.add(_DIVISION_SUFFIX.sub("", division.name))
        elif len(division.name) > 2:
            names.add(division.name)
    longest_first = sorted((n for n in names if len(n) > 1), key=lambda n: (-len(n), n))
    return re.compile(
        "(?:" + "|".join(longest_first) + ")(?:省|市|地区|自治[区州]|区)?" + _NOT_A_TOWN
    )


def _outside_at_start(text: str) -> str | None:
    match = _outside_names().match(text)
    return match.group() if match else None


def _county_in(text: str) -> tuple[str | None, str]:
    """The county named at the start (failing that, by its full name anywhere), and the rest."""
    for pattern, code in _county_names():
        match = pattern.match(text)
        if match:
            return code, text[match.end() :]
    for pattern, code in _county_names():
        match = pattern.search(text) if "?" not in pattern.pattern else None
        if match:
            return code, text[match.end() :]
    return None, text


# The town


def _stem(town: Town) -> str:
    return _TOWN_SUFFIX.sub("", town.name)


def _full_names(rest: str, county: str | None) -> list[_Found]:
    # A development zone or a forest farm has no name of its own: 开发区 needs its county.
    towns = [t for t in list_towns(county) if county or _TOWN_SUFFIX.search(t.name)]
    return _outermost(
        _Found(t.name, m.start(), m.end(), frozenset({t.code}))
        for t in towns
        for m in _pattern(re.escape(t.name)).finditer(rest)
    )


def _other_suffixes(rest: str, county: str | None) -> list[_Found]:
    return _outermost(
        _Found(m.group(), m.start(), m.end(), frozenset({t.code}))
        for t in list_towns(county)
        for m in _pattern(f"{_AFTER_NAME}{re.escape(_stem(t))}(街道|镇|乡)").finditer(rest)
    )


def _stem_at_start(rest: str, county: str | None) -> list[_Found]:
    found = [
        _Found(stem, 0, len(stem), frozenset({t.code}))
        for t in list_towns(county)
        if len(stem := _stem(t)) >= 2 and _pattern(re.escape(stem) + _NOT_A_TOWN).match(rest)
    ]
    if not county and found:
        # Without a county the stem must not be a village of some other county either.
        homonyms = frozenset().union(*_village_index().get(found[0].word, {}).values())
        found += [_Found(f.word, f.start, f.end, homonyms) for f in found[:1] if homonyms]
    return _outermost(found)


def _outermost(found: Iterator[_Found] | list[_Found]) -> list[_Found]:
    """Drop names that are only part of a longer one (桥头镇 inside 林桥头镇)."""
    names = list(found)
    return [
        name
        for name in names
        if not any(
            other.start <= name.start and name.end <= other.end and len(other.word) > len(name.word)
            for other in names
        )
    ]


# Villages


@lru_cache
def _village_index() -> dict[str, dict[str, frozenset[str]]]:
    """Stem of a village or community → county → codes of its towns; 龙港 stands for its own."""
    index: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for village in list_villages():
        stem = _VILLAGE_SUFFIX.sub("", canonical_text(village.name))
        place = village.town_code or (LONGGANG if village.county_code == LONGGANG else None)
        if place and len(stem) >= 2 and stem not in _GENERIC:
            index[stem][village.county_code].add(place)
    return {s: {c: frozenset(t) for c, t in by.items()} for s, by in index.items()}


def _village_codes(stem: str, county: str | None) -> frozenset[str]:
    """Where villages of this name lie; those of 龙港 also count as 苍南's, as they were to 2019."""
    counties = (county, LONGGANG) if county == CANGNAN else (county,)
    by_county = _village_index().get(stem, {})
    return frozenset().union(
        *(codes for code, codes in by_county.items() if county is None or code in counties)
    )


def _villages_before(rest: str, county: str | None, suffixes: str) -> list[_Found]:
    pattern = rf"{_AFTER_NAME}(?=([\u4e00-\u9fff]{{2,6}}?)({suffixes}))"
    for match in re.finditer(pattern, rest):
        codes = _village_codes(match.group(1), county)
        if codes:
            return [_Found(match.group(1), match.start(), match.end(2), codes)]
    return []


def _contradicted(how: str, found: list[_Found], rest: str, county: str | None) -> TownMatch | None:
    """A village of the county named, written as a town that another county has today: 瓯海区塘下镇
    may be the village 塘下 of 瓯海 or the town 塘下镇 of 瑞安. Both are offered."""
    if how != "merged town" or county is None:
        return None
    towns = [n for n in _full_names(rest, None) if n.start == found[0].start]
    if not towns:
        return None
    return TownMatch(None, None, towns[0].word, "conflict", _codes([*found, *towns]))


def _town_next(rest: str, end: int, town: str, county: str) -> frozenset[str]:
    """Another town of the county named right after a town, where that town has no village of the
    name: the text names two."""
    following = rest[end:]
    return frozenset(
        other.code
        for other in list_towns(county)
        if other.code != town
        and len(stem := _stem(other)) >= 2
        and _pattern(re.escape(stem) + _NOT_A_TOWN).match(following)
        and town not in _village_codes(stem, county)
    )


def _village_next(rest: str, end: int, county: str | None) -> frozenset[str]:
    """Where the village named right after a town lies; empty when none is named there."""
    following = re.sub(r"^(办事处|人民政府)", "", rest[end:])
    for length in range(min(6, len(following)), 1, -1):
        codes = _village_codes(following[:length], county)
        after = following[length:]
        if codes and re.match(_NOT_A_ROAD, after):
            is_road = not re.match("村|社区|居", after) and _ROAD_AHEAD.match(after)
            return frozenset() if is_road else codes
    return frozenset()


# The answer


def _settle(how: str, found: list[_Found], rest: str, county: str | None) -> TownMatch:
    """One town when the names found leave exactly one; all of them as alternatives otherwise."""
    codes = frozenset().union(*(name.codes for name in found))
    first = min(found, key=lambda name: name.start)
    if len(codes) > 1 and how in _BY_TOWN_NAME:
        # Towns of one name in several counties: the village named next may choose among them.
        codes = (codes & _village_next(rest, first.end, county)) or codes
    named = {_county_of(code) for code in codes}
    scope = county or (next(iter(named)) if len(named) == 1 and how in _BY_TOWN_NAME else None)
    if how != "town" and scope:
        villages = _village_next(rest, first.end, scope)
        if villages and not villages & codes:
            codes |= villages
    if how == "town" and scope and len(codes) == 1:
        codes |= _town_next(rest, first.end, next(iter(codes)), scope)
    if len(codes) == 1 and scope:
        (code,) = codes
        town = None if code == LONGGANG else code
        return TownMatch(town, _county_of(code), first.word, how)
    if LONGGANG in codes:
        scope = None  # 苍南 was named, but part of it is 龙港 today
    return TownMatch(None, scope, first.word, how, tuple(sorted(codes)))


def _elsewhere(rest: str, county: str | None) -> list[_Found]:
    """Towns of other counties named where the county's own town is expected."""
    names = [*_full_names(rest, None), *_other_suffixes(rest, None)]
    return [name for name in names if name.start == 0 and name.codes != {county}]


def _codes(found: list[_Found]) -> tuple[str, ...]:
    return tuple(sorted(frozenset().union(*(name.codes for name in found))))


def _county_of(code: str) -> str:
    town = get_town(code)
    return town.county_code if town else code
