"""税务: the tax year 2025 with one correction, and monthly VAT returns."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from getihu.gateways.demo_city import calibration, columns
from getihu.gateways.demo_city.columns import MISSING
from getihu.gateways.demo_city.departments.schedule import MONTHS, Shipment
from getihu.gateways.demo_city.feeds import ALL_DIRT, Feed, contract
from getihu.gateways.demo_city.personas import Personas
from getihu.gateways.demo_city.population import Population

_GENERAL_FROM_YUAN = 5_000_000
_MONTHLY_THRESHOLD_YUAN = 100_000
# 经营所得五级超额累进: upper end of taxable income, rate, quick deduction (yuan).
_BRACKETS = (
    (30_000, 0.05, 0),
    (90_000, 0.10, 1_500),
    (300_000, 0.20, 10_500),
    (500_000, 0.30, 40_500),
    (10**12, 0.35, 65_500),
)


@dataclass(frozen=True)
class TaxYear:
    """The tax office's year 2025, one row per trader on file. Money in cents."""

    trader: np.ndarray
    sales: np.ndarray
    is_books: np.ndarray
    taxable: np.ndarray
    income_tax: np.ndarray
    other_relief: np.ndarray
    paid: np.ndarray
    surcharges: np.ndarray
    assessed_on: np.ndarray
    filing_normal: np.ndarray


def draw_tax_year(population: Population, personas: Personas) -> TaxYear:
    """Draw what the tax office knows of 2025; a few traders never registered for tax."""
    rng = population.draw("tax year 2025")
    n = len(population)
    on_file = population.established <= np.datetime64("2025-12-15")
    on_file &= np.isnat(population.left_on) | (population.left_on > np.datetime64("2026-01-31"))
    established_by = on_file.copy()
    on_file &= rng.random(n) < calibration.business("tax_registered_share")
    personas.force("has_tax", on_file, True)
    on_file &= established_by
    is_books = rng.random(n) < np.where(population.size > 1, 0.45, 0.095)
    is_books |= population.turnover_yuan >= _GENERAL_FROM_YUAN
    personas.force("is_books", is_books, False)
    noise = rng.lognormal(0, 0.12, n)
    noise[: population.personas] = 1.0
    margin = rng.uniform(0.04, 0.22, n)
    filing_normal = rng.random(n) < 0.985
    personas.force("filing_normal", filing_normal, True)
    days = rng.integers(0, 75, n)
    t = np.flatnonzero(on_file)
    sales = np.round(population.turnover_yuan[t] * noise[t]).astype(np.int64) * 100
    return _assess(
        population, personas, t, sales, is_books[t], margin[t], days[t], filing_normal[t]
    )


def _assess(
    population: Population,
    personas: Personas,
    traders: np.ndarray,
    sales: np.ndarray,
    is_books: np.ndarray,
    margin: np.ndarray,
    days: np.ndarray,
    filing_normal: np.ndarray,
) -> TaxYear:
    """Work out the taxes: VAT above the monthly threshold, income tax by books or assessed."""
    rng = population.draw("tax assessment 2025")
    m = len(traders)
    yuan = sales / 100
    taxable = np.where(is_books, np.round(yuan * margin), 0)
    income_tax = np.zeros(m)
    for upper, rate, quick in reversed(_BRACKETS):
        income_tax = np.where(taxable <= upper, taxable * rate - quick, income_tax)
    relief = np.where(is_books & (rng.random(m) < 0.004), np.minimum(income_tax, 12_000), 0)
    over = yuan / 12 >= _MONTHLY_THRESHOLD_YUAN
    is_general = yuan >= _GENERAL_FROM_YUAN
    vat = np.where(is_general, yuan * 0.024, np.where(over, yuan * 0.01, 0))
    # Assessed traders below 30,000 yuan a month mostly pay nothing; above it 0.5 % of sales.
    assessed_tax = np.where((yuan >= 360_000) | (rng.random(m) < 0.08), yuan * 0.005, 0)
    paid = vat * 1.06 + np.where(is_books, (income_tax - relief) / 2, assessed_tax)
    stamp = np.where(yuan >= 120_000, yuan * 0.0003, 0)
    paid = np.round((paid + stamp / 2) * 100).astype(np.int64)
    surcharges = np.round((vat * 0.12 + stamp) * 100).astype(np.int64)
    for row, cents in personas.rows_with("tax_paid_cents").items():
        paid[traders == row] = cents
    books = is_books.astype(bool)
    return TaxYear(
        trader=traders,
        sales=sales,
        is_books=books,
        taxable=np.where(books, np.round(taxable * 100).astype(np.int64), MISSING),
        income_tax=np.where(books, np.round(income_tax * 100).astype(np.int64), MISSING),
        other_relief=np.where(relief > 0, np.round(relief * 100).astype(np.int64), MISSING),
        paid=paid,
        surcharges=np.where(surcharges > 0, surcharges, MISSING),
        assessed_on=np.where(
            books,
            np.datetime64("2026-03-31") - days // 3,
            np.datetime64("2026-01-12") + days // 2,
        ),
        filing_normal=filing_normal,
    )


def tax_year_feeds(
    population: Population, personas: Personas, year: TaxYear, unregistered: np.ndarray
) -> Iterator[Feed]:
    """Yield the year as first sent, and the correction of 0.3 % of its rows in June.

    ``unregistered`` are valid codes no register knows (a trader the tax office saw first): row
    numbers of the code list. They come in; they match nobody yet.
    """
    rng = population.draw("tax corrections")
    m = len(year.trader)
    wrong = rng.random(m) < 0.003
    wrong[year.trader < population.personas] = False
    first_sales = np.where(wrong, year.sales // 10, year.sales)
    for row, sales in personas.rows_with("wrong_sales").items():
        first_sales[year.trader == row] = sales * 100
        wrong |= year.trader == row
    spoil = {
        int(np.flatnonzero(year.trader == row)[0]): kind
        for row, kind in personas.rows_with("spoil_tax").items()
    }
    extra = np.concatenate([np.arange(m), np.flatnonzero(~wrong)[-len(unregistered) :]])
    traders = np.concatenate([year.trader, unregistered])
    yield _tax_year(
        population, year, extra, traders, first_sales, "tax_years-2025-01", "2026-04-27", None,
        ALL_DIRT, spoil,
        notes={"unregistered_code": len(unregistered), "later_corrected": int(wrong.sum())},
    )  # fmt: skip
    rows = np.flatnonzero(wrong)
    yield _tax_year(
        population, year, rows, year.trader[rows], year.sales, "tax_years-2025-02", "2026-06-15",
        "tax_years-2025-01", (), {}, notes={"correcting_row": len(rows)},
    )  # fmt: skip


def _tax_year(
    population: Population,
    year: TaxYear,
    rows: np.ndarray,
    traders: np.ndarray,
    sales: np.ndarray,
    delivery_id: str,
    issued: str,
    corrects: str | None,
    dirt: tuple[str, ...],
    spoil: dict[int, str],
    notes: dict[str, int],
) -> Feed:
    schema = contract("tax_years")
    return Feed(
        delivery_id=delivery_id,
        dataset="tax_years",
        period="2025",
        issued_at=f"{issued}T16:00:00+08:00",
        covers_until="2025-12-31",
        traders=traders,
        corrects=corrects,
        dirt=dirt,
        at_least_one=bool(dirt),
        spoil=spoil,
        notes=notes,
        columns={
            "trader_code": columns.codes(population.codes, traders),
            "tax_year": columns.whole(np.full(len(rows), 2025)),
            "assessed_on": columns.dates(year.assessed_on[rows]),
            "levy_method": columns.labels(
                schema.labels("levy_method"), (~year.is_books[rows]).astype(np.int8)
            ),
            "sales_yuan": columns.scaled(sales[rows], 2),
            "taxable_income_yuan": columns.scaled(year.taxable[rows], 2),
            "income_tax_yuan": columns.scaled(year.income_tax[rows], 2),
            "other_relief_yuan": columns.scaled(year.other_relief[rows], 2),
            "tax_paid_yuan": columns.scaled(year.paid[rows], 2),
            "surcharges_yuan": columns.scaled(year.surcharges[rows], 2),
            "filing_normal": columns.flags(year.filing_normal[rows].astype(np.int8)),
        },
    )


def vat_feeds(population: Population, personas: Personas) -> Iterator[Feed]:
    """Yield three months of VAT returns of those who file monthly (zero returns included)."""
    rng = population.draw("vat")
    n = len(population)
    large = population.turnover_yuan >= 300_000
    rest = calibration.business("vat_filing_share") - 0.09
    files = large | (rng.random(n) < rest / 0.91)
    personas.force("vat", files, False)
    is_general = (population.turnover_yuan >= _GENERAL_FROM_YUAN) | (rng.random(n) < 0.003)
    personas.force("is_general", is_general, False)
    is_general |= population.turnover_yuan >= _GENERAL_FROM_YUAN
    for month in MONTHS:
        there = population.on_register(month.first, month.until)
        kept = rng.random(n) >= 0.02
        kept[: population.personas] = True
        level = rng.lognormal(-0.05, 0.3, n)
        traders = np.flatnonzero(files & there & kept)
        sales = np.round(population.turnover_yuan[traders] / 12 * level[traders] * 100)
        rate = np.where(rng.random(len(traders)) < 0.04, 300, 100)
        yield _vat_month(population, month, traders, sales, is_general[traders], rate)


def _vat_month(
    population: Population,
    month: Shipment,
    traders: np.ndarray,
    sales: np.ndarray,
    is_general: np.ndarray,
    rate: np.ndarray,
) -> Feed:
    schema = contract("vat_months")
    return Feed(
        delivery_id=f"vat_months-{month.period}",
        dataset="vat_months",
        period=month.period,
        issued_at=month.issued_at,
        covers_until=str(month.until),
        traders=traders,
        dirt=("code_lower_case", "money_unit", "date_compact", "blank_required"),
        columns={
            "trader_code": columns.codes(population.codes, traders),
            "month": columns.months(np.full(len(traders), month.first)),
            "taxpayer_kind": columns.labels(
                schema.labels("taxpayer_kind"), (~is_general).astype(np.int8)
            ),
            "levy_rate": columns.scaled(np.where(is_general, MISSING, rate), 4),
            "sales_yuan": columns.scaled(sales.astype(np.int64), 2),
        },
    )
