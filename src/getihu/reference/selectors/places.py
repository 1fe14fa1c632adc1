"""A free-text address as a place: its parts, where it lies today, how sure that is, what else it
may be; and completions while it is typed.

On top of ``find_town_in_address`` come three rules for what people write and no list holds: text
that repeats itself, places that went out of use (``former_places.csv``), and names written with
another character of the same sound.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from pypinyin import lazy_pinyin

from getihu.kernel.text import canonical_text, half_width
from getihu.reference.contracts import (
    AddressMatch,
    AddressPart,
    AddressProblem,
    Completion,
    PlaceOption,
    Town,
    TownMatch,
)
from getihu.reference.selectors.addresses import find_town_in_address
from getihu.reference.selectors.codes import department_name, list_departments
from getihu.reference.selectors.divisions import (
    LONGGANG,
    WENZHOU,
    division_name,
    get_town,
    list_counties,
    list_towns,
    list_villages,
)
from getihu.reference.selectors.tables import read_rows

# How sure each rule is, and how it is told.
_RULES = {
    "town": ("sure", "写的就是现在的乡镇街道"),
    "former town": ("sure", "镇、乡、街道的叫法改过，名称没有变"),
    "stem": ("sure", "少写了“镇”“街道”"),
    "merged town": ("likely", "原来的乡镇已经并入，按同名的村推出"),
    "village": ("likely", "按村、社区的名称推出"),
    "former place": ("likely", "原来的名称已经不用，按撤并推出（一般知识，待核）"),
    "sound": ("check", "没有这个名称，和它读音一样的只有一个，请核对"),
    "county": ("county", "只看得出县（市、区）"),
    "conflict": ("none", "写的乡镇不在写的县（市、区）里"),
    "outside": ("none", "不在温州"),
    "none": ("none", "看不出在哪里"),
}
# How often a town settled with this confidence was the right one: lower bounds (Wilson, 95 %) over
# labelled addresses of the city. sure: as they stand; likely: their town taken out, so that only
# village and road lead; check: one character of the town exchanged for one that sounds alike.
# Counted again by tests/reference/test_places.py.
SHARES: Final = {"sure": 0.99, "likely": 0.73, "check": 0.98}
HIGHEST_FLOOR: Final = 100  # 本项目设定，非官方
LONGEST_NUMBER: Final = 5  # digits; 本项目设定，非官方
_GARBLED = re.compile("null|undefined|\ufffd|[?？]{2,}", re.IGNORECASE)
_NOISE = re.compile(r"null|undefined|[_\-—－·,，;；。、\s]+(?=[\u4e00-\u9fff])", re.IGNORECASE)
_PARTS = (
    ("road", r"[\u4e00-\u9fffA-Za-z0-9]{1,12}?(?:大道|大街|公路|路|街(?!道)|巷|弄|线)"),
    ("number", r"[0-9一二三四五六七八九十百]+(?:[-之、][0-9]+)*号"),
    ("building", r"[0-9A-Za-z一二三四五六七八九十]+(?:幢|栋|座|号楼|楼(?!层))"),
    ("unit", r"[0-9A-Za-z一二三四五六七八九十]+单元"),
    ("floor", r"[0-9一二三四五六七八九十]+(?:层|楼)"),
    ("room", r"[0-9A-Za-z]+(?:室|间|铺|摊位)"),
)
_LABELS = {
    "county": "县（市、区）",
    "town": "乡镇街道",
    "road": "路街",
    "number": "门牌号",
    "building": "楼幢",
    "unit": "单元",
    "floor": "楼层",
    "room": "室",
    "rest": "其他",
}


def resolve_address(text: str, county_code: str | None = None) -> AddressMatch:
    """Where an address lies today, with how sure that is and what else it may be; never a guess
    told as sure. ``county_code``, when known from elsewhere, is believed over the text.

    ``confidence``: sure, likely (by a rule), check (only by sound), county (no town), several
    (``options`` to choose from), none. 龙港市 has no towns: its county is the whole answer.
    Cost: about 0.2 ms an address; the indexes are built once.
    """
    cleaned = _clean(text)
    found = find_town_in_address(cleaned, county_code)
    if found.how == "conflict":
        found = _moved(cleaned) or found
    if found.town_code is None and not found.alternatives and found.county_code != LONGGANG:
        found = (
            _by_former_place(cleaned, found)
            or _by_sound(cleaned, found)
            or _by_one_character(cleaned, found)
            or found
        )
    confidence, why = _RULES[found.how]
    if found.alternatives:
        one = len(found.alternatives) == 1
        confidence = "several"
        why = "没有这个名称，是不是想写这一个？" if one else "不止一个地方，请选一个"
        if found.how == "county" and not one:
            why = "没有这个名称，是不是想写其中一个？"
    elif found.county_code == LONGGANG and found.town_code is None:
        confidence, why = "sure", "龙港市不设乡镇街道"
    return AddressMatch(
        text=cleaned,
        parts=tuple(_parts(cleaned, found)),
        county_code=found.county_code,
        county_name=division_name(found.county_code or "") or "",
        town_code=found.town_code,
        town_name=_town_name(found.town_code),
        matched=found.matched,
        confidence=confidence,
        why=why,
        options=tuple(_option(code) for code in found.alternatives),
        share=SHARES.get(confidence) if found.town_code else None,
        problems=tuple(_problems(text, cleaned, found)),
    )


def complete_address(
    typed: str, county_code: str | None = None, limit: int = 8
) -> list[Completion]:
    """Ways to go on while an address is typed, each as the whole text from the county down. Roads
    and numbers are on no list: once a town is written in full nothing more is offered."""
    found = []
    for option in complete_place(typed, county_code, limit):
        county, town = division_name(option.county_code) or "", _town_name(option.code) or ""
        text = county + town + (option.name if option.name not in (county, town) else "")
        found.append(Completion(text, option.within or county, option.code))
    return list({each.text: each for each in found}.values())


def complete_place(typed: str, county_code: str | None = None, limit: int = 8) -> list[PlaceOption]:
    """Towns, villages and communities whose name begins with, or contains, what was typed, or
    whose initials or pinyin begin with it; towns first, shorter names first."""
    wanted = _clean(typed).lower()
    if len(wanted) < 1:
        return []
    county = find_town_in_address(wanted).county_code
    scope = county_code or county
    if county:
        name = division_name(county) or ""
        wanted = re.sub(f"^(浙江省)?(温州市)?{name[:-1]}[市县区]?", "", wanted) or name
    ranked = sorted(
        (rank, len(option.name), option.code, option.name, option)
        for name, sound, initials, is_town, option in _completions()
        if scope in (None, option.county_code)
        and (rank := _rank(wanted, name, sound, initials, is_town)) is not None
    )
    return [each[-1] for each in ranked[:limit]]


# How a county's office is called where it is not the city's name with the county put in.
_COUNTY_OFFICES = {
    "tax": "国家税务总局{0}税务局",
    "fire": "{0}消防救援大队",
    "court": "{0}人民法院",
}
_CITY_ONLY = ("pboc", "housing_fund", "financial_regulator")


def agencies_over(place_code: str) -> dict[str, str]:
    """Department code → the office that is responsible for a place: of its county, or the city's
    where a department has none in the counties. Empty for a place outside the city. The names of
    county offices are put together by rule (本项目设定，非官方)."""
    town = get_town(place_code)
    county = division_name(town.county_code if town else place_code[:6])
    if not county or not place_code.startswith(WENZHOU[:4]):
        return {}
    return {
        each.code: each.name
        if each.code in _CITY_ONLY
        else _COUNTY_OFFICES.get(each.code, each.name.replace("温州市", "{0}")).format(county)
        for each in list_departments()
    }


def agency_name(department: str, place_code: str | None = None) -> str:
    """What the office of a department over a place is called; the department's own name for the
    whole city, where no place is given, or one outside."""
    over = agencies_over(place_code) if place_code and place_code != WENZHOU else {}
    return over.get(department) or department_name(department)


def _rank(wanted: str, name: str, sound: str, initials: str, is_town: bool) -> int | None:
    if name.startswith(wanted):
        return 0 if is_town else 1
    if wanted.isascii() and (initials.startswith(wanted) or sound.startswith(wanted)):
        return 2 if is_town else 3
    return 4 if wanted in name and len(wanted) > 1 else None


@lru_cache
def _completions() -> tuple[tuple[str, str, str, bool, PlaceOption], ...]:
    found = []
    for town in list_towns():
        found.append((town.name, True, PlaceOption(town.code, town.name, town.county_code, "")))
    for village in list_villages():
        code = village.town_code or village.county_code
        within = _town_name(village.town_code) or division_name(village.county_code) or ""
        found.append(
            (village.name, False, PlaceOption(code, village.name, village.county_code, within))
        )
    return tuple(
        (name, "".join(lazy_pinyin(name)), "".join(s[:1] for s in lazy_pinyin(name)), town, option)
        for name, town, option in found
    )


def _clean(text: str) -> str:
    """One writing: half width, no blanks or separators, and what stands above the town once."""
    rest = _NOISE.sub("", half_width(canonical_text(text)))
    above: list[str] = []
    while head := _heads().match(rest):
        word = head.group()
        known = [each for each in above if each[:2] == word[:2]]
        if not known and _county_at(above) and word[:2] not in ("浙江", "温州", "中国"):
            break  # a second county is a contradiction, and is left for the rules to see
        if not known:
            above.append(word)
        elif len(word) > len(known[0]):
            above[above.index(known[0])] = word
        rest = rest[head.end() :]
    return "".join(sorted(above, key=_order)) + rest


@lru_cache
def _heads() -> re.Pattern[str]:
    """Country, province, city or county at the start, unless it names a road, a building …"""
    names = [f"{c.name[:-1]}[{c.name[-1]}市县区]?" for c in list_counties()]
    above = ["中国", "浙江省?", "温州市?(?!经济)", *names]
    return re.compile(f"(?:{'|'.join(above)})(?!路|街|大道|巷|大厦|广场|村|镇|乡|商|国际|$)")


def _order(word: str) -> int:
    return next((n for n, head in enumerate(("中国", "浙江", "温州")) if word.startswith(head)), 3)


def _county_at(above: list[str]) -> str | None:
    return next((word for word in above if _order(word) == 3), None)


@lru_cache
def _former_places() -> tuple[tuple[str, str, tuple[str, ...]], ...]:
    rows = sorted(read_rows("former_places.csv"), key=lambda row: -len(row["name"]))
    return tuple((r["county_code"], r["name"], tuple(r["current_codes"].split())) for r in rows)


def _moved(text: str) -> TownMatch | None:
    """A town written with the county it belonged to before it moved to another."""
    counties = [c for c in list_counties() if c.name[:-1] in text]
    for county in counties:
        known = _by_former_place(text, TownMatch(None, county.code, "", "county"))
        if known:
            return known
    return None


def _by_former_place(text: str, found: TownMatch) -> TownMatch | None:
    for county, name, codes in _former_places():
        if found.county_code == county and name in text:
            town = codes[0] if len(codes) == 1 else None
            now = town[:6] if town else county
            return TownMatch(town, now, name, "former place", codes if town is None else ())
    return None


def _by_sound(text: str, found: TownMatch) -> TownMatch | None:
    """The one town of the county named that sounds like the word where a town is expected."""
    if found.county_code is None or found.how != "county":
        return None
    rest = _after_county(text, found.county_code)
    for word in re.findall(r"^([\u4e00-\u9fff]{1,4}?)(?:街道|镇|乡)", rest) or [rest[:2]]:
        if len(word) < 2 or re.match("[东南西北中]?(?:路|街(?!道)|大道|村|巷)", rest[len(word) :]):
            continue
        near = _sounds(found.county_code).get(_sound(word), ())
        if len(near) == 1:
            code = near[0]
            return TownMatch(None if code == LONGGANG else code, code[:6], word, "sound")
        if near:
            return TownMatch(None, found.county_code, word, "sound", near)
    return None


def _by_one_character(text: str, found: TownMatch) -> TownMatch | None:
    """Towns of the county that differ in one character from a word written as a town: offered,
    never settled."""
    if found.county_code is None or found.how != "county":
        return None
    rest = _after_county(text, found.county_code)
    written = re.match(r"([\u4e00-\u9fff]{1,4}?)(街道|镇|乡)(?!路|街(?!道)|村)", rest)
    if written is None:
        return None
    word = written.group(1)
    near = tuple(t.code for t in list_towns(found.county_code) if _differs_by_one(word, _stem(t)))
    return TownMatch(None, found.county_code, word, "county", near) if 1 <= len(near) <= 3 else None


def _problems(raw: str, text: str, found: TownMatch) -> Iterator[AddressProblem]:
    """What cannot be, each with what to write instead."""
    if found.how == "outside":
        yield AddressProblem(
            f"{found.matched}不在温州", "店开在哪里，就向哪里的登记机关申请；这里只办温州的。"
        )
    if found.how == "conflict":
        where = "、".join(dict.fromkeys(_within(code) for code in found.alternatives))
        yield AddressProblem(
            f"写的县（市、区）里没有“{found.matched}”，它在{where}",
            "核对县（市、区）和乡镇，只写一个地方。",
        )
    if _GARBLED.search(raw):
        yield AddressProblem("地址里有乱码", "把乱码删掉，看看有没有少字。")
    for digits in re.findall(r"([0-9]+)(?:-[0-9]+)*号", text):
        if not digits.strip("0"):
            yield AddressProblem("门牌号不会是0号", "看门上的门牌。")
        elif len(digits) > LONGEST_NUMBER:
            yield AddressProblem(f"门牌号{digits}号太大了", "看门上的门牌。")
    for floor in re.findall(r"([0-9]+)(?:层|楼(?!道))", text):
        if int(floor[:6]) > HIGHEST_FLOOR:
            yield AddressProblem(f"没有{floor}层这么高的楼", "核对楼层。")


def _within(code: str) -> str:
    option = _option(code)
    return f"{division_name(option.county_code) or ''}{option.name if option.within else ''}"


def _differs_by_one(word: str, name: str) -> bool:
    if len(word) == len(name):
        return len(name) > 1 and sum(a != b for a, b in zip(word, name, strict=True)) == 1
    longer, shorter = sorted((word, name), key=len, reverse=True)
    dropped = (longer[:n] + longer[n + 1 :] for n in range(len(longer)))
    return len(longer) == len(shorter) + 1 and shorter in dropped


def _after_county(text: str, county_code: str) -> str:
    name = division_name(county_code) or ""
    cut = re.search(f"{name[:-1]}[市县区]?", text)
    return text[cut.end() :] if cut else text


def _stem(town: Town) -> str:
    return re.sub("(街道|镇|乡)$", "", town.name)


@lru_cache
def _sounds(county_code: str) -> dict[str, tuple[str, ...]]:
    by_sound: dict[str, list[str]] = {}
    for town in list_towns(county_code):
        by_sound.setdefault(_sound(_stem(town)), []).append(town.code)
    if county_code == "330327":
        by_sound.setdefault(_sound("龙港"), []).append(LONGGANG)
    return {sound: tuple(codes) for sound, codes in by_sound.items()}


# Sounds the city's speech does not keep apart: -n and -ng, zh and z, l and n, f and h.
_MERGED = (("ng", "n"), ("zh", "z"), ("ch", "c"), ("sh", "s"))


@lru_cache(maxsize=4096)
def _sound(word: str) -> str:
    spoken = "'".join(lazy_pinyin(word))
    for one, other in _MERGED:
        spoken = spoken.replace(one, other)
    return spoken


def _parts(text: str, found: TownMatch) -> Iterator[AddressPart]:
    """The address cut into its parts, in the order they stand."""
    rest = text
    if found.county_code:
        yield AddressPart("county", _LABELS["county"], division_name(found.county_code) or "")
    if found.town_code:
        yield AddressPart("town", _LABELS["town"], _town_name(found.town_code) or "")
    if found.county_code == LONGGANG:
        rest = re.sub("^.*?龙港[市镇]?", "", rest)
    elif found.matched and found.matched in rest:
        rest = rest[rest.index(found.matched) + len(found.matched) :]
    elif found.county_code:
        rest = _after_county(rest, found.county_code)
    left = []
    while rest:
        match = next(
            ((kind, m) for kind, pattern in _PARTS if (m := re.match(pattern, rest))), None
        )
        if match is None:
            left.append(rest[0])
            rest = rest[1:]
            continue
        if left:
            yield AddressPart("rest", _LABELS["rest"], "".join(left))
            left = []
        kind, m = match
        yield AddressPart(kind, _LABELS[kind], m.group())
        rest = rest[m.end() :]
    if left:
        yield AddressPart("rest", _LABELS["rest"], "".join(left))


def _option(code: str) -> PlaceOption:
    town = get_town(code)
    if town is None:
        return PlaceOption(code, division_name(code) or code, code, "")
    return PlaceOption(code, town.name, town.county_code, division_name(town.county_code) or "")


def _town_name(code: str | None) -> str | None:
    town = get_town(code) if code else None
    return town.name if town else None
