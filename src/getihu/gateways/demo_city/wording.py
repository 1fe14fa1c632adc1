"""Trade names, scopes and addresses: invented, but of the words real registrations use.

A name is place + invented trade mark (字号) + trade + suffix. No part is a surname followed by a
given name, and no operator has a name anywhere in the city.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from getihu.gateways.demo_city import calibration
from getihu.gateways.demo_city.columns import join, take, whole_text
from getihu.gateways.demo_city.places import DONGTOU, LONGGANG, Places
from getihu.gateways.demo_city.population import Population
from getihu.gateways.demo_city.streams import pick, share

# Auspicious characters of shop signs. The first list holds no common surname.
_FIRST = "恒瑞鑫兴隆鸿旺裕泰祥福禄丰嘉佳美雅欣悦好优精诚信仁义合联众创新远航永久长大百千"
_SECOND = "达发源利通顺盛昌盈荣辉煌耀星阳晨光明亮宝康宁安和润泽韵味香来得鼎峰捷力"
_THIRD = ("", "", "", "达", "源", "利", "隆", "兴", "美", "佳")
_ROADS = [
    "人民路",
    "解放路",
    "中山路",
    "建设路",
    "新城大道",
    "环城东路",
    "环城西路",
    "府前街",
    "车站大道",
    "学院路",
    "工业大道",
    "振兴路",
    "兴隆街",
    "商贸街",
    "河滨路",
    "江滨路",
    "海滨路",
    "文化路",
    "体育场路",
    "东瓯街",
    "西山路",
    "南塘街",
    "北门街",
    "东门街",
    "迎宾大道",
    "市场路",
    "农贸街",
    "老街",
    "新街",
    "塘河路",
    "望江路",
    "桥头街",
    "前街",
    "后街",
    "中心街",
    "创业路",
]
_SPOTS = ("号", "号一楼", "号东首", "号后幢", "号102室", "号A区", "弄3号", "号（自主申报）")
_PROVINCE = ("浙江省温州市", "温州市", "")
_MODERN_TAIL = "（除依法须经批准的项目外，凭营业执照依法自主开展经营活动）。"
_LICENSED_TAIL = (
    "（依法须经批准的项目，经相关部门批准后方可开展经营活动，具体经营项目以审批结果为准）。"
)
_LICENSED = {
    "food": "食品销售",
    "tobacco": "食品销售；烟草制品零售",
    "catering": "餐饮服务",
    "small_catering": "小餐饮",
}
_SELF_NAMED = ("服务", "种植", "养殖", "加工", "货运", "运输", "施工", "安装", "包厢", "贷款")
_SLOTS = 64

# Numbered fields of a trader's wording bits; a changed version of a field is moved by _CHANGED.
_CHANGED = 500


@dataclass(frozen=True)
class _Choices:
    """Per trade, 64 slots into one vocabulary: a weighted choice in one look-up."""

    vocabulary: pa.StringArray
    slots: np.ndarray

    def draw(self, trade: np.ndarray, bits: np.ndarray, field: int) -> pa.StringArray:
        slot = pick(bits, field, _SLOTS).astype(np.int64)
        return take(self.vocabulary, self.slots[trade, slot])


class Wording:
    """Writes names, scopes and addresses for any rows of one population.

    ``older`` marks rows to be written as before the trader's change of that very item.
    """

    def __init__(self, population: Population, places: Places) -> None:
        self._population = population
        self._places = places
        villages = places.villages
        self._village_names = pa.array([v.name for v in villages], pa.string())
        self._towns = pa.array([v.town for v in villages], pa.string())
        self._old_towns = pa.array([v.old_town for v in villages], pa.string())
        self._stems = pa.array([_stem(v.town) for v in villages], pa.string())
        suffixes = _frequencies("name_suffix_frequency.csv", "suffix")
        phrases = _frequencies("scope_phrase_frequency.csv", "phrase")
        trades = calibration.trades()
        self._words = _choices([dict.fromkeys(t.words, 1) for t in trades])
        self._suffixes = _choices([{s: suffixes.get(s, 15) for s in t.suffixes} for t in trades])
        weighed = [{p: phrases.get(p, 5) ** 0.5 for p in t.phrases} for t in trades]
        self._phrases = _choices(
            [
                {_activity(p, t): w for p, w in c.items()}
                for t, c in zip(trades, weighed, strict=True)
            ]
        )
        licensed = [_LICENSED.get(t.permit, "") for t in trades]
        self._licensed = pa.array(
            [f"许可项目：{text}{_LICENSED_TAIL}" if text else "" for text in licensed]
        )
        self._only_licensed = np.array([t.permit.endswith("catering") for t in trades])

    def names(self, traders: np.ndarray, older: np.ndarray) -> pa.StringArray:
        """Return trade names; about three in a hundred trade without one (无字号)."""
        p = self._population
        bits, trade = p.wording[traders], p.trade[traders].astype(np.int64)
        moved = bits + np.where(older, np.uint64(_CHANGED), np.uint64(0))
        place = take(self._county_words(), p.county[traders])
        stem = pc.if_else(pa.array(share(bits, 1, 0.45)), take(self._stems, p.village[traders]), "")
        brand = join(
            take(list(_FIRST), pick(moved, 2, len(_FIRST))),
            take(list(_SECOND), pick(moved, 3, len(_SECOND))),
            take(_THIRD, pick(moved, 4, len(_THIRD))),
        )
        name = join(
            place,
            stem,
            brand,
            self._words.draw(trade, bits, 5),
            self._suffixes.draw(trade, bits, 6),
        )
        nameless = share(bits, 7, 0.03)
        nameless[traders < p.personas] = False
        return pc.if_else(pa.array(nameless), "无字号", name)

    def scopes(self, traders: np.ndarray, older: np.ndarray) -> pa.StringArray:
        """Return the scope, in today's wording for those established from mid-2021 on."""
        p = self._population
        bits, trade = p.wording[traders], p.trade[traders].astype(np.int64)
        moved = bits + np.where(older, np.uint64(_CHANGED), np.uint64(0))
        one = self._phrases.draw(trade, moved, 11)
        two = self._phrases.draw(trade, moved, 12)
        two = pc.if_else(pc.equal(one, two), "", two)
        gap = pc.if_else(pc.equal(two, ""), "", "；")
        ordinary = join("一般项目：", one, gap, two, _MODERN_TAIL)
        ordinary = pc.if_else(pa.array(self._only_licensed[trade]), "", ordinary)
        modern = join(ordinary, take(self._licensed, trade))
        old = join(one, pc.if_else(pc.equal(two, ""), "", "、"), two)
        is_modern = p.established[traders] >= np.datetime64("2021-07-01", "D")
        return pc.if_else(pa.array(is_modern), modern, old)

    def addresses(self, traders: np.ndarray, older: np.ndarray) -> pa.StringArray:
        """Return the premises' address: sometimes without town, sometimes with its old name."""
        p = self._population
        bits, village = p.wording[traders], p.village[traders]
        moved = bits + np.where(older, np.uint64(_CHANGED), np.uint64(0))
        aged = self.has_old_place(traders)
        county = pc.if_else(
            pa.array(aged),
            take(self._old_county_names(), p.county[traders]),
            take(list(self._places.county_names), p.county[traders]),
        )
        town = pc.if_else(
            pa.array(aged), take(self._old_towns, village), take(self._towns, village)
        )
        left_out = share(bits, 21, 0.06) & ~aged
        left_out[traders < p.personas] = False
        town = pc.if_else(pa.array(left_out), "", town)
        return join(
            take(_PROVINCE, pick(bits, 22, len(_PROVINCE))),
            county,
            town,
            take(self._village_names, village),
            take(_ROADS, pick(moved, 23, len(_ROADS))),
            whole_text((1 + pick(moved, 24, 688)).astype(np.int64)),
            take(_SPOTS, pick(moved, 25, len(_SPOTS))),
        )

    def has_old_place(self, traders: np.ndarray) -> np.ndarray:
        """Return whose address uses a former name: only those registered before the change."""
        p = self._population
        codes = self._places.county_codes
        longgang = p.county[traders] == codes.index(LONGGANG)
        subdistrict = np.array([v.town != v.old_town for v in self._places.villages])
        dongtou = p.county[traders] == codes.index(DONGTOU)
        changeable = longgang | dongtou | subdistrict[p.village[traders]]
        before = p.established[traders] < np.datetime64("2019-09-01", "D")
        rate = calibration.dirt_kinds()["old_town_name"].rate
        part = np.where(longgang | dongtou, 0.4, rate * 4)
        chance = pick(p.wording[traders], 26, 1_000_000).astype(float) / 1_000_000
        return changeable & before & (chance < part) & (traders >= p.personas)

    def _county_words(self) -> list[str]:
        names = self._places.county_names
        return [f"温州市{n}" if n.endswith("区") else n for n in names]

    def _old_county_names(self) -> list[str]:
        former = {"洞头区": "洞头县", "龙港市": "苍南县龙港镇"}
        return [former.get(n, n) for n in self._places.county_names]


def _stem(town: str) -> str:
    for ending in ("街道", "畲族镇", "畲族乡", "镇", "乡"):
        if town.endswith(ending):
            return town.removesuffix(ending)
    return ""


def _activity(phrase: str, trade: calibration.Trade) -> str:
    """Write a phrase of the frequency list as one activity (日用百货 → 日用百货零售)."""
    if phrase == "服务":
        return f"{trade.words[0]}服务"
    if trade.verb == "服务" or phrase.endswith((*_SELF_NAMED, trade.verb)):
        return phrase
    return f"{phrase}{trade.verb}"


def _frequencies(name: str, column: str) -> dict[str, int]:
    return {row[column]: int(row["rows"]) for row in calibration.rows(name)}


def _choices(weighted: list[dict[str, float]]) -> _Choices:
    """Give every word of a trade slots in proportion to its weight, at least one each."""
    vocabulary: list[str] = []
    slots = np.zeros((len(weighted), _SLOTS), dtype=np.int32)
    for row, words in enumerate(weighted):
        base = len(vocabulary)
        vocabulary += list(words)
        weights = np.array(list(words.values()), dtype=float)
        edges = np.cumsum(weights / weights.sum()) * (_SLOTS - len(words)) + np.arange(
            1, len(words) + 1
        )
        slots[row] = base + np.searchsorted(edges, np.arange(_SLOTS) + 0.5)
    return _Choices(pa.array(vocabulary, pa.string()), slots)
