"""Indicators over the small demo city: against counting by hand, and made again by their digest."""

import csv
import io
from datetime import date, timedelta

import pytest

from getihu.dataplane import selectors as dataplane
from getihu.insight import selectors, services
from getihu.insight.catalogue.definitions import Indicator, read_indicator
from getihu.insight.models import Figure, MeasuredDay, Measurement
from getihu.insight.services import measuring
from tests.real_city import AT

pytestmark = pytest.mark.django_db
ENDED = ("cancelled", "revoked", "annulled")


def city(indicator_id):
    return selectors.list_figures(indicator_id)[-1]


def register(measured):
    snapshot = dataplane.get_published_snapshot().snapshot_id
    found = dataplane.engine().execute(dataplane.dataset_sql("registrations", snapshot))
    names = [column[0] for column in found.description]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def is_registered(row, on):
    ended = row["status"] in ENDED and row["status_on"] <= on
    converted = row["converted_on"] is not None and row["converted_on"] <= on
    return row["established_on"] <= on and not ended and not converted


def test_the_register_is_counted_as_by_hand_on_every_day(measured):
    rows = register(measured)
    for figure in selectors.list_figures("vitality.registered"):
        assert figure.part == sum(is_registered(row, figure.as_of) for row in rows)
    one = selectors.list_figures("vitality.registered", "330302")[-1]
    mine = [row for row in rows if row["county_code"] == "330302"]
    assert one.part == sum(is_registered(row, one.as_of) for row in mine)


def test_every_indicator_is_measured_for_two_years_and_at_the_deadline(measured):
    days = [figure.as_of for figure in selectors.list_figures("vitality.registered")]
    assert len(days) == 25 and days == sorted(days)
    assert date(2024, 12, 31) in days and days[-1] == measured.as_of
    assert {
        each.id for each in selectors.list_indicators() if selectors.newest(each.id) is None
    } == set()


def test_active_and_inactive_and_unknown_are_everybody(measured):
    figure = city("vitality.activity")
    assert figure.part + figure.unknown <= figure.whole
    assert figure.low <= figure.value <= figure.high
    trading = sum(
        row["status"] == "active" for row in register(measured) if is_registered(row, figure.as_of)
    )
    assert figure.whole == trading


def test_missing_evidence_is_unknown_not_inactive(measured):
    """Control: the evidence taken away makes everybody unknown, and nobody inactive."""
    activity = selectors.get_indicator("vitality.activity")
    snapshot = dataplane.get_published_snapshot().snapshot_id
    with measuring.duckdb_of(snapshot, "", [activity]) as engine:
        for table in ("vat_months", "social_insurance", "annual_reports", "loans"):
            engine.execute(f"DELETE FROM {table}")
        engine.execute("UPDATE tax_years SET trader_code = 'nobody'")
        made = measuring.compute(engine, activity, [measured.as_of])
    whole = next(each for each in made if each.division == selectors.CITY)
    assert (whole.part, whole.unknown, whole.value) == ("0.00", whole.whole, None)
    assert (whole.low, whole.high) == (0, 100)


def test_days_before_the_data_begin_have_no_figure(measured):
    snapshot = dataplane.get_published_snapshot().snapshot_id
    for dataset, day, indicator_id in (
        ("tax_years", "max(assessed_on)", "vitality.activity"),
        ("annual_reports", "min(filed_on)", "vitality.jobs"),
    ):
        query = f"SELECT ({day})::DATE FROM ({dataplane.dataset_sql(dataset, snapshot)})"
        begins = dataplane.engine().execute(query).fetchone()[0]
        days = [each.as_of for each in selectors.list_figures(indicator_id)]
        assert days and min(days) >= begins, indicator_id


def test_survival_is_not_the_share_still_registered(measured):
    survival, naive = city("vitality.survival_36"), city("vitality.still_registered_36")
    assert survival.low < survival.value < survival.high
    assert survival.value != pytest.approx(naive.value, abs=0.5)


def test_a_figure_is_made_again_after_new_definitions_and_from_its_own_snapshot(
    measured, settings, tmp_path
):
    digest = city("vitality.registered").digest
    (tmp_path / "vitality.registered.yaml").write_text("id: nothing\n", "utf-8")
    settings.INDICATOR_DIRS = [tmp_path]  # the file on disk has moved on
    done = services.rerun(digest[:12])
    assert done.is_same and done.indicator_id == "vitality.registered"


def test_every_measurement_is_made_again(measured):
    done = [services.rerun(row.digest) for row in Measurement.objects.all()]
    assert all(each.is_same for each in done) and len(done) == len(selectors.list_indicators())


def test_a_figure_somebody_altered_shows(measured):
    """Control: figures and their digest part, and the rerun still tells what was measured."""
    row = Measurement.objects.get(digest=city("vitality.registered").digest)
    Measurement.objects.filter(pk=row.pk).update(result_sha256="0" * 64)
    assert not services.rerun(row.digest).is_same


def test_the_same_data_are_not_measured_again(measured):
    before = Measurement.objects.count()
    services.measure(at=AT)
    assert Measurement.objects.count() == before
    assert selectors.list_revisions("vitality.registered") == []


def test_a_day_is_measured_once_and_again_when_other_data_come(measured):
    assert services.measure_daily(AT) == len(selectors.list_indicators())
    assert services.measure_daily(AT) == 0
    assert services.measure_daily(AT + timedelta(days=1)) > 0
    MeasuredDay.objects.update(snapshot_id="another")
    assert services.measure_daily(AT + timedelta(days=1)) > 0


def test_without_data_nothing_is_due():
    assert services.measure_daily(AT) == 0


def test_a_revision_shows_before_and_after(measured):
    last = city("vitality.registered")
    row = Measurement.objects.select_related("definition").get(digest=last.digest)
    later = Measurement.objects.create(
        digest="f" * 64, definition=row.definition, snapshot_id=row.snapshot_id, months=row.months,
        result_sha256=row.result_sha256, measured_at=AT.replace(year=2027),
    )  # fmt: skip
    Figure.objects.create(
        measurement=later, as_of=last.as_of, division=selectors.CITY, part=1, value=1.0
    )
    (revision,) = selectors.list_revisions("vitality.registered")
    assert (revision.before, revision.after) == (last.value, 1.0)


def test_no_county_is_set_beside_another_in_what_the_law_names(measured):
    """促进个体工商户发展条例 第三十二条, plan 二（四）: 不得考核户数、年报率."""
    watched = [each for each in selectors.list_indicators() if each.watch_only]
    assert {"vitality.registered", "credit.reported", "vitality.entries"} <= {e.id for e in watched}
    for each in watched:
        with pytest.raises(selectors.NotCompared, match="第三十二条"):
            selectors.list_by_county(each.id)


def test_whatever_counts_traders_or_reports_is_watched_only():
    """A new file that counts traders over the register and forgets to say so is found here."""
    for each in selectors.list_indicators():
        counts_register = each.kind == "count" and "registrations" in each.reads
        is_report_rate = each.kind == "share" and each.reads == ("registrations", "annual_reports")
        if (counts_register and "loans" not in each.reads) or is_report_rate:
            assert each.watch_only, each.id


def test_counties_stand_in_the_order_of_their_codes_and_small_ones_without_numbers(measured):
    listed = selectors.list_by_county("credit.abnormal")
    assert [each.division for each in listed] == sorted(each.division for each in listed)
    shown = [each for each in listed if each.value is not None]
    assert shown and all(each.whole >= selectors.FEWEST for each in shown)


def test_who_is_withheld_is_withheld_on_every_page_and_in_every_file(client, measured):
    untold = Figure.objects.filter(is_withheld=True)
    assert untold.exists()
    for row in untold.select_related("measurement__definition")[:40]:
        name = row.measurement.definition.indicator_id
        told = {f.as_of: f for f in selectors.list_figures(name, row.division)}[row.as_of]
        assert told.is_withheld and told.value is None and told.part == 0
        file = client.get(f"/insight/{name}/figures.csv", {"county": row.division})
        lines = csv.DictReader(io.StringIO(file.content.decode("utf-8-sig")))
        line = next(each for each in lines if each["日期"] == str(row.as_of))
        assert (line["值"], line["分子"], line["分母"], line["未知"]) == ("", "", "", "")


WRITTEN = """\
id: x.y
version: 1
path: [活力, 规模]
title: t
unit: 户
kind: count
owner: o
definition: d
source: s
ground: g
not_for: n
reads: [registrations]
sql: SELECT as_of, '330302' AS county_code, 1 AS part FROM months
"""


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("DROP TABLE registrations", "只能是一条 SELECT"),
        ("SELECT 1; SELECT 2", "只能是一条 SELECT"),
        ("SELECT * FROM read_parquet('/etc/x')", "不能自己读文件"),
        ("WITH a AS (SELECT 1) INSERT INTO registrations SELECT * FROM a", "只能是一条 SELECT"),
    ],
)
def test_sql_that_does_more_than_read_is_refused_with_its_file_and_field(sql, told):
    problems = []
    text = WRITTEN.replace(WRITTEN[WRITTEN.index("sql: ") :], f'sql: "{sql}"\n')
    assert read_indicator(text, "x.y.yaml", problems) is None
    assert told in problems[0].message and problems[0].file == "x.y.yaml"


def test_sql_reaches_only_the_tables_it_names(measured):
    named = Indicator.model_validate(
        {
            **selectors.get_indicator("vitality.registered").model_dump(),
            "sql": "SELECT * FROM loans",
        }
    )
    snapshot = dataplane.get_published_snapshot().snapshot_id
    with (
        measuring.duckdb_of(snapshot, "", [named]) as engine,
        pytest.raises(services.CannotMeasure, match="loans"),
    ):
        engine.execute("CREATE TABLE loans AS SELECT 1 AS x")
        measuring.compute(engine, named, [measured.as_of])


def test_the_targets_say_reached_or_not_or_that_it_cannot_be_said(measured):
    targets = {each.number: each for each in selectors.list_targets() if each.number != "M4"}
    assert set(targets) == {f"T{number}" for number in range(1, 13)}
    assert targets["T1"].is_met_now is False and targets["T1"].at_deadline is not None
    assert targets["T5"].is_met_now is (True if targets["T5"].now.low >= 70 else None)
    assert targets["T11"].is_met is None  # nothing was inspected: nothing to say
