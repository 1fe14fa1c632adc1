"""A few traders planted by hand, so that one can open each situation and see it explained."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from getihu.gateways.demo_city import calibration
from getihu.gateways.demo_city.places import Places
from getihu.gateways.demo_city.population import NEVER, Population


@dataclass(frozen=True)
class Persona:
    """One planted trader: the id used in tests, what to look at, and how it is made.

    ``records`` fixes what departments hold of it; what is not named takes the table's default
    (reported, tax record held, nothing else).
    """

    id: str
    situation: str
    county: str
    industry: str
    established: str
    turnover_yuan: int
    employees: int
    town: str = ""
    premises_dm2: int = 360
    suspended: str = ""
    converted: str = ""
    records: dict[str, Any] = field(default_factory=dict)


PERSONAS = (
    Persona("surviving", "生存型：小五金店，正常年报，没有雇员", "330302", "5281", "2019-05-20",
            96_000, 1),
    Persona("growing", "成长型：电器厂，4人，参保2人，缴过税", "330382", "3823", "2018-03-12",
            620_000, 4, "柳市镇", 1500, records={"insured": 2, "tax_paid_cents": 620_000}),
    Persona("developing", "发展型：汽摩配厂，16人，一般纳税人，年销售780万元", "330381", "3670",
            "2012-08-08", 7_800_000, 16, "塘下镇", 6800,
            records={"insured": 12, "is_books": True, "vat": True, "tax_paid_cents": 21_450_000}),
    Persona("unknown_tax", "资料不全：税务没有记录，分型待定，并说明缺什么", "330304", "5292",
            "2022-04-18", 180_000, 2, records={"has_tax": False}),
    Persona("near", "差一步：年销售29.6万元，离成长型的30万元差4000元", "330324", "4119",
            "2021-06-09", 296_000, 3, "桥头镇", 1200),
    Persona("converted", "个转企：箱包厂2025年转为企业，代码不变", "330326", "1922", "2016-11-02",
            2_400_000, 9, "水头镇", 3200, converted="2025-06-18",
            records={"insured": 6, "is_books": True}),
    Persona("longgang", "龙港：信用代码里仍是苍南的330327，现辖区是龙港，没有乡镇", "330383", "2319",
            "2014-02-24", 450_000, 5, premises_dm2=2400, records={"insured": 3}),
    Persona("held", "税务数据被隔离：最新一行日期写错，退回税务更正前按未知处理", "330303", "3482",
            "2017-09-15", 520_000, 4, records={"spoil_tax": "date_impossible"}),
    Persona("suspended", "歇业：民宿2026年3月起歇业，歇业期间不纳入分型", "330329", "6130",
            "2020-07-01", 60_000, 2, suspended="2026-03-02"),
    Persona("not_reported", "未报年报：未纳入分型，已被标记经营异常", "330327", "5213", "2015-10-10",
            110_000, 1, "灵溪镇", records={"reports": False, "is_marked": True}),
    Persona("late_county", "数据迟到：泰顺9月起的参保数据没有送来，参保情况未知", "330329", "3032",
            "2013-05-06", 380_000, 6, premises_dm2=2600, records={"insured": 3}),
    Persona("veteran", "退役士兵创业：三年内可限额扣减税款", "330328", "6210", "2024-09-10",
            260_000, 3, "大峃镇", records={"status": 0, "catering_permit": "2029-09-09"}),
    Persona("permit_expiring", "食品经营许可证2026年12月10日到期；老代码是洞头县330322", "330305",
            "6210", "2011-04-01", 240_000, 3, records={"catering_permit": "2026-12-10"}),
    Persona("corrected", "税务更正：销售额先报12万元，更正为120万元，两个版本都查得到", "330304",
            "1952", "2018-01-16", 1_200_000, 6, records={"insured": 2, "wrong_sales": 120_000}),
    Persona("new", "新设：2026年8月开业，当年不用年报", "330302", "6239", "2026-08-19", 0, 2),
    Persona("cancelled", "已注销：2026年9月15日注销，不再纳入", "330381", "5232", "2021-03-30",
            70_000, 1),
)  # fmt: skip

_LEFT = next(i for i, p in enumerate(PERSONAS) if p.id == "cancelled")


class Personas:
    """The planted traders within one population: rows 0 … n−1."""

    def __init__(self, population: Population, places: Places) -> None:
        """Overwrite the first rows of the population; the rest keep what was drawn."""
        population.personas = len(PERSONAS)
        codes = [t.industry_code for t in calibration.trades()]
        for row, persona in enumerate(PERSONAS):
            county = places.county_codes.index(persona.county)
            population.county[row] = county
            population.village[row] = next(
                i
                for i, v in enumerate(places.villages)
                if v.county == county and (not persona.town or v.town == persona.town)
            )
            population.trade[row] = codes.index(persona.industry)
            population.established[row] = np.datetime64(persona.established, "D")
            population.left_on[row] = NEVER
            population.suspended_on[row] = _day_or_never(persona.suspended)
            population.converted_on[row] = _day_or_never(persona.converted)
            population.is_active[row] = persona.id not in ("suspended",)
            population.turnover_yuan[row] = persona.turnover_yuan
            population.employees[row] = persona.employees
            population.premises_dm2[row] = persona.premises_dm2
            population.size[row] = 0.0
        # One who had left comes back, so that as many as asked for are on the register.
        population.left_on[population.registered] = NEVER
        population.left_on[_LEFT] = np.datetime64("2026-09-15", "D")
        population.left_how[_LEFT] = 0

    def force(self, name: str, values: np.ndarray, default: Any) -> None:
        """Set the planted traders' values of one department column, in place."""
        for row, persona in enumerate(PERSONAS):
            values[row] = persona.records.get(name, default)

    def rows_with(self, name: str) -> dict[int, Any]:
        """Return planted row → value, for those that name this record."""
        return {r: p.records[name] for r, p in enumerate(PERSONAS) if name in p.records}


def describe_personas(population: Population) -> list[dict[str, str]]:
    """Return what ``personas.json`` holds: id, code and what there is to see."""
    return [
        {"id": p.id, "trader_code": population.codes[row].as_py(), "situation": p.situation}
        for row, p in enumerate(PERSONAS)
    ]


def _day_or_never(text: str) -> np.datetime64:
    return np.datetime64(text, "D") if text else NEVER
