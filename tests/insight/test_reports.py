"""The quarterly report: every number traceable, made again, on paper."""

import io
import json
import shutil
import subprocess
from datetime import date

import pytest
from django.db import DatabaseError, transaction
from docx import Document

from getihu.insight import selectors, services
from getihu.insight.models import Figure, Report
from getihu.insight.reports.texts import SLOT, quarterly
from getihu.ui import services as ui
from tests.real_city import AT

pytestmark = pytest.mark.django_db
QUARTER = "2026Q3"
UNTIL = date(2026, 9, 30)


@pytest.fixture
def report(measured):
    return services.write_report(QUARTER, at=AT)


def sentences(report):
    return [each for part in report.content["sections"] for each in part["sentences"]]


def numbers(report):
    return [piece for each in sentences(report) for piece in each if "digest" in piece]


def test_every_number_of_every_sentence_is_a_published_figure(report):
    assert len(numbers(report)) > 15
    for number in numbers(report):
        figure = Figure.objects.get(
            measurement=number["digest"], as_of=UNTIL, division=selectors.CITY
        )
        assert figure.value == number["value"], number
        if "before" in number:
            before = Figure.objects.get(
                measurement=number["digest"], as_of=number["against"], division=selectors.CITY
            )
            assert before.value == number["before"]


def test_no_digit_stands_outside_a_number_but_dates_and_what_the_text_says(report):
    written = {each for part in quarterly().sections for each in part.sentences}
    for sentence in sentences(report):
        if any(piece.get("missing") for piece in sentence):
            continue
        said = [p["text"] for p in sentence if "digest" not in p and p["text"] != "2026年9月30日"]
        assert any(all(words in SLOT.sub("|", text) for words in said) for text in written)


def test_a_figure_not_measured_is_said_to_be_missing(report):
    missing = [each for each in sentences(report) if each[0].get("missing")]
    assert missing and all("没有测到" in each[0]["text"] for each in missing)


def test_made_again_it_is_the_same(report):
    done = services.check_report(QUARTER)
    assert (done.is_same, done.changed) == (True, ())
    assert done.numbers == len(numbers(report)) and done.indicators > 10


def test_a_figure_changed_in_the_table_is_found(measured):
    """Control: the report was written from a figure nobody measured."""
    last = selectors.newest("vitality.registered")
    row = Figure.objects.filter(measurement=last, as_of=UNTIL, division=selectors.CITY)
    row.update(value=row.get().value + 1000)
    services.write_report(QUARTER, at=AT)
    done = services.check_report(QUARTER)
    assert not done.is_same
    assert any("在册个体工商户" in sentence for sentence in done.changed)


def test_the_same_figures_are_the_same_edition_and_others_a_new_one(report):
    assert services.write_report(QUARTER, at=AT).pk == report.pk
    last = selectors.newest("vitality.registered")
    Figure.objects.filter(measurement=last, as_of=UNTIL).update(value=1)
    again = services.write_report(QUARTER, at=AT)
    assert (again.edition, Report.objects.count()) == (2, 2)
    assert selectors.get_report(QUARTER).pk == again.pk
    assert selectors.get_report(QUARTER, 1).content == report.content


def test_what_was_published_cannot_be_changed(report):
    with pytest.raises(DatabaseError), transaction.atomic():
        Report.objects.filter(pk=report.pk).update(sha256="0" * 64)


@pytest.mark.parametrize("quarter", ["2026Q5", "2026-3", "2026Q4", "", "2030Q1"])
def test_no_quarter_and_one_not_over(measured, quarter):
    with pytest.raises(services.BadQuarter):
        services.write_report(quarter, at=AT)


def test_the_last_whole_quarter_is_written_once(measured):
    made = services.write_due_report(AT)
    assert made is not None and made.quarter == QUARTER
    assert services.write_due_report(AT) is None


def test_no_assessment_by_number_of_traders_or_annual_report_rate(report):
    """不得以个体工商户数量、年报率等考核、排名 (条例 第三十二条; plan 二（四）)."""
    watched = {each.title for each in selectors.list_indicators() if each.watch_only}
    assert watched and not watched & set(report.content["counties"]["head"])


def test_as_word_it_is_the_same_text_with_tables(report):
    paper = Document(io.BytesIO(services.as_word(report)))
    text = "\n".join(each.text for each in paper.paragraphs)
    for sentence in sentences(report):
        assert "".join(piece["text"] for piece in sentence) in text
    assert [len(table.rows) for table in paper.tables] == [len(report.content["targets"]) + 1, 13]
    assert len(paper.inline_shapes) >= 2


@pytest.mark.skipif(not shutil.which("pdftotext"), reason="没有 pdftotext")
def test_as_pdf_it_says_the_same(report):
    made = services.as_pdf(report)
    shown = subprocess.run(["pdftotext", "-", "-"], input=made, capture_output=True, check=True)
    said = "".join(shown.stdout.decode().split())
    for number in numbers(report):
        assert "".join(number["text"].split()) in said
    assert services.as_pdf(report) == made


def test_as_pdf_the_fonts_are_inside(report):
    made = services.as_pdf(report)
    assert made.startswith(b"%PDF-1.7") and b"NotoSerifCJK" in made


def test_without_the_fonts_it_says_so_and_prints_no_boxes(report, monkeypatch):
    monkeypatch.setattr(ui, "FAMILIES", ("没有这个字体",))
    with pytest.raises(ui.FontMissing, match="fonts-noto-cjk"):
        services.as_pdf(report)


def test_the_pages_and_the_files(client, report):
    assert QUARTER in client.get("/insight/reports/").content.decode()
    page = client.get(f"/insight/reports/{QUARTER}/").content.decode()
    assert all(number["text"] in page for number in numbers(report))
    for kind, head in (("pdf", b"%PDF"), ("docx", b"PK")):
        answer = client.get(f"/insight/reports/{QUARTER}/report.{kind}")
        assert answer.content.startswith(head) and f".{kind}" in answer["Content-Disposition"]
    assert client.get("/insight/reports/2020Q1/").status_code == 404
    assert "还没有季报" not in client.get("/insight/reports/").content.decode()


def test_the_content_is_plain_json(report):
    assert json.loads(json.dumps(report.content)) == report.content
