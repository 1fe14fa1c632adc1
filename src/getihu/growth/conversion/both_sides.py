"""Both sides of a year, as a trader and as a company, line by line.

The tables count a whole year. In the year of the conversion it is open whether their steps are
shortened with the months, so a line then has a lowest and a highest amount.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import yaml

from getihu.growth.contracts.conversion import Comparison, Line

_FILE: Final = Path(__file__).parent / "numbers.yaml"
MONTHS: Final = 12
_CENT: Final = Decimal("0.01")
Range = tuple[Decimal, Decimal]


@dataclass(frozen=True)
class Asked:
    """What she says of a year. ``profit_yuan``: taxable income before tax; ``as_company_months``: 12
    compares whole years, fewer the year of the conversion; ``pays_out``: whether a company's
    profit is paid out to her."""

    profit_yuan: Decimal
    sales_yuan: Decimal
    employees: int
    as_company_months: int = MONTHS
    pays_out: bool = True


@lru_cache
def numbers() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(_FILE.read_text("utf-8"))
    return found


def both_sides(asked: Asked) -> Comparison:
    """Every line of both sides. Nothing is added up and nothing is advised."""
    company = asked.as_company_months
    return Comparison((MONTHS - company, company), tuple(_lines(asked)))


def business_tax(income: Decimal, months: int = MONTHS) -> Decimal:
    """Income tax on business income before relief, with the steps shortened to some months.

    >>> business_tax(Decimal(80000))
    Decimal('6500.00')
    """
    for bound, rate, quick in numbers()["business_income_steps"]["steps"]:
        limit = None if bound is None else Decimal(bound) * months / MONTHS
        if limit is None or income <= limit:
            off = Decimal(quick) * months / MONTHS
            return _cents(income * Decimal(rate) - off)
    raise AssertionError("the last step has no bound")


def relieved(income: Decimal, months: int = MONTHS) -> Decimal:
    """Tax after the half relief on the part up to two million."""
    within = min(income, Decimal(numbers()["half_relief_yuan"]["value"]))
    return business_tax(income, months) - _cents(business_tax(within, months) / 2)


def company_tax(income: Decimal) -> Decimal | None:
    """Company income tax of a small company; None above what counts as small: not worked out."""
    if income > Decimal(numbers()["small_company_income_yuan"]["value"]):
        return None
    return _cents(income * Decimal(numbers()["small_company_rate"]["value"]))


def _lines(asked: Asked) -> Iterator[Line]:
    yield _income_line(asked)
    if asked.as_company_months < MONTHS:
        yield _year_of_conversion(asked)
    yield from _words(asked)


def _income_line(asked: Asked) -> Line:
    """A whole year on one side against a whole year on the other."""
    tax = relieved(asked.profit_yuan)
    own = company_tax(asked.profit_yuan)
    steps = numbers()["business_income_steps"]
    if own is None:
        company, amount = "超过小型微利标准，这里不算，请问税务机关", None
    else:
        out = _cents((asked.profit_yuan - own) * Decimal(numbers()["dividend_rate"]["value"]))
        total = own + (out if asked.pays_out else Decimal(0))
        amount = (total, total)
        company = f"企业所得税 {own:,} 元" + (
            f"，利润分给您再缴 {out:,} 元（20%）" if asked.pays_out else "，利润留在企业里"
        )
    return Line(
        "所得税（整年）",
        f"经营所得个人所得税 {tax:,} 元（200万元以内的部分已减半）",
        company,
        f"{steps['source']}；{numbers()['small_company_rate']['source']}；"
        f"{numbers()['dividend_rate']['source']}",
        "R",
        (tax, tax),
        amount,
    )


def _year_of_conversion(asked: Asked) -> Line:
    """Each part of the year on its own, the steps whole or shortened: both are shown."""
    company = asked.as_company_months
    trader = MONTHS - company
    part = asked.profit_yuan * trader / MONTHS
    mine = sorted((relieved(part), relieved(part, trader))) if trader else [Decimal(0)] * 2
    own = company_tax(asked.profit_yuan * company / MONTHS)
    return Line(
        f"转企那一年的所得税（个体 {trader} 个月、企业 {company} 个月）",
        _range((mine[0], mine[1])),
        "超过小型微利标准，这里不算" if own is None else f"{own:,} 元（企业那几个月）",
        "级距和标准按年写；当年要不要按月折算没有读到原文，两种都列出",
        "D",
        (mine[0], mine[1]),
        None if own is None else (own, own),
    )


def _words(asked: Asked) -> Iterator[Line]:
    limit = Decimal(numbers()["small_scale_sales_yuan"]["value"])
    over = asked.sales_yuan > limit
    vat = "超过年500万元，按一般纳税人" if over else "年500万元以内，可以是小规模纳税人"
    yield Line(
        "增值税", vat, f"{vat}；标准一样，信用代码不变，销售额接着算", "增值税法 第九条", "L"
    )
    half = "减半"
    yield Line("六税两费", half, f"{half}（小型微利企业）", "财政部 税务总局公告2023年第12号", "M")
    staff = f"{asked.employees} 名职工" if asked.employees else "没有职工"
    yield Line(
        "社会保险",
        f"{staff}：有雇工的，为雇工参保；您自己可以按灵活就业参保",
        f"{staff}：企业为每名职工参保，您领工资的也参保；金额由社保经办机构按基数算，这里不猜",
        "社会保险法 第十条、第五十八条",
        "L",
    )
    yield Line(
        "债务谁承担",
        "个人经营的，以个人财产承担；家庭经营的，以家庭财产承担",
        "有限责任公司以企业的财产承担；转企以前的债务还是您的",
        "民法典 第五十六条；公司法（未读到原文）",
        "R",
    )
    yield Line(
        "记账",
        "可以定期定额，也可以查账",
        "要建账；转企后三年，市里负责免费基础代理记账",
        "税收征收管理法 第十九条；温政办〔2024〕22号",
        "G",
    )
    yield Line(
        "年度报告",
        "个体工商户年报",
        "企业年报，项目更多",
        "市场主体登记管理条例 第三十五条",
        "L",
    )
    yield Line(
        "不想做了",
        "简易注销不用公示，十日没有异议就办",
        "要清算；没有债务的可以走简易注销，先公示",
        "市场主体登记管理条例 第三十一条至第三十三条",
        "L",
    )


def _range(amount: Range) -> str:
    low, high = amount
    return f"{low:,} 元" if low == high else f"{low:,} 到 {high:,} 元"


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(_CENT, ROUND_HALF_UP)
