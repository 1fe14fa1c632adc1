"""Figures for others' programs, read back by programs of other authors."""

import io
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from openpyxl import load_workbook
from pysdmx.io import read_sdmx

from getihu.insight import selectors, services
from getihu.insight.services import exchange
from tests.real_city import AT

pytestmark = pytest.mark.django_db
SHAPES = Path(__file__).parent / "dcat.ttl"
ONE = "vitality.activity"


def rows(indicator_id=ONE, division=selectors.CITY):
    indicator = selectors.get_indicator(indicator_id)
    return services.rows_of(indicator, selectors.list_figures(indicator_id, division))


def test_the_three_files_say_the_same(client, measured):
    told = [each.value for each in selectors.list_figures(ONE)]
    sheet = load_workbook(io.BytesIO(client.get(f"/insight/{ONE}/figures.xlsx").content)).active
    assert [row[4].value for row in sheet.iter_rows(min_row=2)] == pytest.approx(told)
    assert sheet["C2"].is_date and sheet["E2"].data_type == "n"
    table = pq.read_table(io.BytesIO(client.get(f"/insight/{ONE}/figures.parquet").content))
    assert table.column("值").to_pylist() == told
    assert str(table.schema.field("分子").type) == "decimal128(22, 2)"
    assert client.get(f"/insight/{ONE}/figures.docx").status_code == 404


@pytest.mark.parametrize("text", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(1)", "\t=1"])
def test_no_file_holds_a_formula(measured, text):
    evil = [tuple(text if cell == ONE else cell for cell in row) for row in rows()]
    sheet = load_workbook(io.BytesIO(exchange.as_xlsx(evil))).active
    assert sheet["A2"].data_type == "s" and sheet["A2"].value.startswith("'")
    assert f"'{text}"[:3] in exchange.as_csv(evil).decode("utf-8-sig")


def test_another_program_reads_the_structure(measured):
    message = read_sdmx(services.sdmx_structure(AT), validate=True)
    lists = {each.id: each for each in message.get_codelists()}
    assert {code.name for code in lists["CL_INDICATOR"].items} == {
        each.title for each in selectors.list_indicators()
    }
    assert len(lists["CL_AREA"].items) == 13
    (structure,) = message.get_data_structure_definitions()
    assert [each.id for each in structure.components.dimensions] == [
        "INDICATOR", "REF_AREA", "TIME_PERIOD",
    ]  # fmt: skip


def test_another_program_reads_all_figures(client, measured):
    content = client.get("/insight/open/figures.csv").content.decode()
    (dataset,) = read_sdmx(content, validate=False).data
    data = dataset.data
    assert len(data) == sum(
        len(selectors.list_figures(each.id, place))
        for each in selectors.list_indicators()
        for place in ["330300", *(f"33030{n}" for n in (2, 3, 4, 5)), "330324", "330326", "330327",
                      "330328", "330329", "330381", "330382", "330383"]
    )  # fmt: skip
    codes = {each.split("_")[0] for each in data["INDICATOR"]}
    assert codes == {"VITALITY", "QUALITY", "CREDIT", "FINANCE", "SERVICE", "BURDEN"} & codes
    withheld = data[data["OBS_STATUS"] == "Q"]
    assert len(withheld) and set(withheld["OBS_VALUE"].fillna("")) == {""}
    assert set(data["OBS_STATUS"]) <= set(exchange.STATUSES)


@pytest.mark.filterwarnings("ignore:ConjunctiveGraph:DeprecationWarning")  # pyshacl uses it
def test_the_catalogue_has_what_dcat_wants(client, measured):
    pyshacl, rdflib = pytest.importorskip("pyshacl"), pytest.importorskip("rdflib")
    answer = client.get("/insight/open/catalogue.jsonld")
    graph = rdflib.Graph().parse(data=answer.content.decode(), format="json-ld")
    shapes = rdflib.Graph().parse(SHAPES)
    fine, _, told = pyshacl.validate(graph, shacl_graph=shapes)
    assert fine, told
    downloads = graph.objects(None, rdflib.URIRef("http://www.w3.org/ns/dcat#downloadURL"))
    assert all(
        client.get(str(each).split("testserver")[1]).status_code == 200 for each in downloads
    )
    broken = json.loads(answer.content)
    del broken["@graph"][1]["dct:title"]
    graph = rdflib.Graph().parse(data=json.dumps(broken), format="json-ld")
    assert not pyshacl.validate(graph, shacl_graph=shapes)[0]


def test_the_page_leads_to_every_file(client, measured):
    page = client.get("/insight/open/").content.decode()
    assert all(
        f"/insight/{each.id}/figures.parquet" in page for each in selectors.list_indicators()
    )
    for name in ("structure.xml", "figures.csv", "catalogue.jsonld"):
        assert f"/insight/open/{name}" in page
        assert client.get(f"/insight/open/{name}").status_code == 200
