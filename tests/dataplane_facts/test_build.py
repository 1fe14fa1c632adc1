"""The table of the city, one trader's facts, and the single statement agree with each other."""

from datetime import date

import duckdb
import pytest

from getihu.dataplane import selectors, services
from getihu.dataplane.contracts import FactState
from getihu.dataplane.selectors.facts import UnknownSnapshot, facts_file
from getihu.dataplane.services import facts as building
from tests.dataplane_facts.cities import draw_city, publish
from tests.dataplane_facts.store import Store, at

pytestmark = pytest.mark.django_db
AS_OF = date(2026, 10, 31)
CODE = "92330302MA20000007"


@pytest.fixture
def city(data_dir) -> list[str]:
    store = Store(data_dir / "dataplane", selectors.dataset_contracts())
    codes = draw_city(store, traders=24, seed=7)
    publish(store)
    return codes


def every_trader(codes, as_of=AS_OF, known_at=None):
    found = {}
    for code in codes:
        try:
            found[code] = selectors.get_trader_facts(code, as_of, known_at=known_at)
        except selectors.UnknownTrader:
            found[code] = None
    return found


@pytest.mark.parametrize(
    ("as_of", "known_at"),
    [(AS_OF, None), (AS_OF, at("2026-10-20")), (date(2026, 9, 30), at("2026-11-04"))],
    ids=["now", "as known before the corrections", "a past day"],
)
def test_one_trader_and_the_built_table_agree_for_every_trader(city, as_of, known_at):
    before = every_trader(city, as_of, known_at)
    path = services.build_facts(as_of=as_of, known_at=known_at)
    assert every_trader(city, as_of, known_at) == before
    assert sum(facts is not None for facts in before.values()) == rows(path)
    assert rows(path) > 20


def rows(path):
    return duckdb.sql(f"SELECT count(*) FROM '{path}'").fetchone()[0]


def test_the_single_statement_gives_the_same_table(city):
    path = services.build_facts(as_of=AS_OF)
    with duckdb.connect() as engine:
        whole = engine.execute(selectors.facts_sql(AS_OF))
        names = [column[0] for column in whole.description]
        expected = whole.fetchall()
        built = engine.execute(f"SELECT {', '.join(names)} FROM '{path}'").fetchall()
    assert built == expected


def test_stretches_give_the_same_table(city, monkeypatch):
    path = services.build_facts(as_of=AS_OF)
    whole = duckdb.sql(f"SELECT * FROM '{path}'").fetchall()
    path.unlink()
    monkeypatch.setattr(building, "STRETCH", 7)
    services.build_facts(as_of=AS_OF)
    assert duckdb.sql(f"SELECT * FROM '{path}'").fetchall() == whole


def test_the_table_is_sorted_typed_and_compressed(city):
    path = services.build_facts(as_of=AS_OF)
    found = duckdb.sql(f"SELECT * FROM '{path}'")
    kinds = dict(zip(found.columns, map(str, found.types), strict=True))
    codes = [row[0] for row in found.fetchall()]
    assert codes == sorted(set(codes))
    assert kinds["annual_sales_yuan"] == "DECIMAL(18,2)"
    assert kinds["vat_levy_rate"] == "DECIMAL(18,4)"
    assert kinds["insured_employees"] == "BIGINT"
    assert kinds["established_on"] == kinds["penalties__covered_until"] == "DATE"
    assert kinds["is_registered"] == "BOOLEAN"
    assert kinds["penalties__state"] == "VARCHAR"
    chunks = duckdb.sql(f"SELECT DISTINCT compression FROM parquet_metadata('{path}')").fetchall()
    assert chunks == [("ZSTD",)]


def test_every_state_occurs_and_silence_is_null(city):
    path = services.build_facts(as_of=AS_OF)
    with duckdb.connect() as engine:
        states = set()
        for name, group in selectors.fact_groups().items():
            silent = f"{name}__state IN ('late', 'held', 'undelivered', 'missing')"
            known = " + ".join(f"count({fact.name})" for fact in group.facts)
            sql = f"SELECT {known} FROM '{path}' WHERE {silent}"
            assert engine.execute(sql).fetchone()[0] == 0, name
            found = engine.execute(f"SELECT DISTINCT {name}__state FROM '{path}'").fetchall()
            states |= {row[0] for row in found}
    assert states >= {"recorded", "absent", "missing", "late", "held"}


def test_a_crash_leaves_no_table(city, monkeypatch):
    def fails(*_, **__):
        raise OSError("disk full")

    monkeypatch.setattr(building.pq.ParquetWriter, "write_table", fails)
    with pytest.raises(OSError, match="disk full"):
        services.build_facts(as_of=AS_OF)
    folder = facts_file("s0123456789ab", AS_OF).parent
    assert list(folder.iterdir()) == []
    with pytest.raises(selectors.FactsNotBuilt):
        selectors.facts_path(AS_OF)


def test_a_second_build_is_free_and_another_snapshot_has_its_own_table(city, data_dir):
    first = services.build_facts(as_of=AS_OF)
    stamp = first.stat().st_mtime_ns
    assert services.build_facts(as_of=AS_OF) == first
    assert first.stat().st_mtime_ns == stamp
    store = Store(data_dir / "dataplane", selectors.dataset_contracts())
    draw_city(store, traders=5, seed=8)
    publish(store, number=2, snapshot_id="sba9876543210")
    assert selectors.facts_path(AS_OF, "s0123456789ab") == first
    assert services.build_facts(as_of=AS_OF) != first


def test_errors_say_what_to_do(city):
    with pytest.raises(selectors.FactsNotBuilt, match=r"getihu decide --as-of 2026-10-31"):
        selectors.facts_path(AS_OF)
    with pytest.raises(selectors.AsOfBeforeData, match="2026-09-30 或之后的日期"):
        services.build_facts(as_of=date(2026, 9, 29))
    with pytest.raises(selectors.AsOfBeforeData):
        selectors.get_trader_facts(CODE, date(2020, 1, 1))
    with pytest.raises(selectors.UnknownTrader) as unknown:
        selectors.get_trader_facts("92330302MA2ZZZZZZZ", AS_OF)
    assert "ZZZZ" not in str(unknown.value)
    with pytest.raises(UnknownSnapshot, match="核对快照编号"):
        selectors.facts_path(AS_OF, "s999999999999")


def test_nothing_published_says_so(data_dir):
    with pytest.raises(selectors.NothingPublished):
        services.build_facts(as_of=AS_OF)


def test_a_fact_tells_absent_from_missing(city):
    services.build_facts(as_of=AS_OF)
    for code in city:
        try:
            values = selectors.get_trader_facts(code, AS_OF).values
        except selectors.UnknownTrader:
            continue
        if values["report_year_latest"].state is FactState.ABSENT:
            assert values["annual_employees"].state is FactState.MISSING
            assert values["annual_employees"].value is None
            return
    pytest.fail("no trader without a report in the drawn city")
