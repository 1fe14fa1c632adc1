"""The door: what comes in, what does not, and that nothing vanishes."""

import itertools
import shutil
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest
from django.db import IntegrityError, transaction

from getihu.dataplane import selectors, services
from getihu.dataplane.models import Delivery, Snapshot
from getihu.dataplane.services import ingest
from tests.dataplane.department import CODES, csv_bytes, penalty, registration

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 6, tzinfo=UTC)


def take(department, at=AT):
    return services.ingest_directory(department.inbox, at=at)


def only(report):
    assert len(report.deliveries) == 1
    return report.deliveries[0]


def stored(data_dir: Path, dataset: str) -> list[tuple]:
    pattern = data_dir / "dataplane" / "store" / dataset / "*.parquet"
    return duckdb.sql(f"SELECT * FROM '{pattern}' ORDER BY trader_code, known_at").fetchall()


def test_holds_a_delivery_of_which_more_than_a_fifth_is_wrong(department):
    rows = [registration(code) for code in CODES] + [registration("92330302MA2ABCDE3G")]
    department.deliver("registrations", rows)
    delivery = only(take(department))
    assert delivery.status == "held"
    assert "25%" in delivery.problem


def test_counts_every_row(department):
    department.deliver("registrations", [registration(code) for code in CODES] * 2)
    delivery = only(take(department))
    assert (delivery.rows_in, delivery.accepted, delivery.quarantined, delivery.duplicate) == (
        6, 3, 0, 3,
    )  # fmt: skip
    assert delivery.status == "published"
    assert selectors.get_published_snapshot().rows == 3


@pytest.mark.parametrize(
    ("changes", "reason_code"),
    [
        ({"trader_code": "92330302MA2ABCDE0U"}, "code_check"),
        ({"trader_code": ""}, "blank"),
        ({"trader_code": "330302600123456"}, "code_old_number"),
        ({"trader_code": "91330211144375338P"}, "not_trader"),
        ({"established_on": "2026-02-30"}, "date"),
        ({"established_on": "20260115"}, "date"),
        ({"changed_on": "2026-12-01"}, "future"),
        ({"established_on": "0226-01-15"}, "date"),
        ({"name": "　\u00a0"}, "blank"),
        ({"status": "营业"}, "enum"),
        ({"industry_code": "62"}, "industry"),
        ({"county_code": "330322"}, "county"),
        ({"town_code": "330302999"}, "town"),
        ({"county_code": "330303"}, "town_elsewhere"),
        ({"premises_m2": "50平方"}, "decimal"),
        ({"name": ""}, "blank"),
        ({"record_status": "作废"}, "record_status"),
    ],
)
def test_says_why_a_row_did_not_come_in_and_what_to_do(department, changes, reason_code):
    rows = [registration(code) for code in CODES] * 2
    department.deliver("registrations", [*rows, registration("92330303MA2BT6U57G") | changes])
    delivery = only(take(department))
    assert delivery.quarantined == 1
    row = selectors.list_quarantined_rows(delivery.delivery_id, 0, 10)[0]
    assert (row.reason_code, row.line) == (reason_code, 8)
    assert row.reason
    assert row.fix


@pytest.mark.parametrize(
    ("text", "reason_code"),
    [("12,000", "columns"), ("1200元", "money"), ("1e3", "money"), ("12.345", "money"),
     ("-5", "money")],
)  # fmt: skip
def test_an_amount_is_never_guessed(department, text, reason_code):
    good = [penalty(CODES[0], f"文{n}") for n in range(9)]
    content = csv_bytes("penalties", [*good, penalty(CODES[1], "文9", fine_yuan="@@")])
    department.deliver("penalties", content.replace(b"@@", text.encode()))
    row = selectors.list_quarantined_rows(only(take(department)).delivery_id, 0, 10)[0]
    assert row.reason_code == reason_code


def test_normalises_a_code_in_its_three_forms(department, data_dir):
    wide = CODES[1].translate({ord(c): ord(c) + 0xFEE0 for c in "0123456789MABCDETX"})
    department.deliver(
        "registrations",
        [registration(f" {CODES[0]} "), registration(wide), registration(CODES[2].lower())],
    )
    assert only(take(department)).accepted == 3
    assert [row[0] for row in stored(data_dir, "registrations")] == CODES


def test_a_personal_cell_is_masked_in_quarantine(department):
    rows = [
        {"certificate_no": f"证{n}", "trader_code": CODES[0], "kind": "职业资格",
         "issued_on": "2020-01-01"}
        for n in range(9)
    ]  # fmt: skip
    department.deliver("certificates", [*rows, {**rows[0], "certificate_no": "密" * 2100}])
    row = selectors.list_quarantined_rows(only(take(department)).delivery_id, 0, 1)[0]
    assert row.excerpt == "***"


def test_same_key_with_other_content_puts_both_aside(department):
    rows = [penalty(CODES[0], f"文{n}") for n in range(9)]
    department.deliver("penalties", [*rows, penalty(CODES[0], "文0", fine_yuan="900.00")])
    delivery = only(take(department))
    assert (delivery.accepted, delivery.quarantined) == (8, 2)


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", None])
def test_reads_rare_characters_in_either_encoding(department, data_dir, encoding):
    content = csv_bytes("registrations", [registration(CODES[0], name="垟峃漈面馆")], "gb18030")
    content = content if encoding != "utf-8" else content.decode("gb18030").encode()
    department.deliver("registrations", content, encoding=encoding)
    assert only(take(department)).accepted == 1
    assert stored(data_dir, "registrations")[0][1] == "垟峃漈面馆"


def test_a_line_in_another_encoding_is_quarantined_not_replaced(department):
    good = csv_bytes("registrations", [registration(c) for c in CODES] * 3)
    odd = csv_bytes("registrations", [registration("92330303MA2BT6U57G")], "gb18030")
    department.deliver("registrations", good + odd.split(b"\n")[1] + b"\n")
    delivery = only(take(department))
    assert (delivery.quarantined, delivery.rows_in) == (1, 10)
    assert selectors.count_quarantine()[0].reason_code == "encoding"


# Whole deliveries


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("处罚种类", "处罚类别", ["处罚类别", "是不是“处罚种类”"]),
        ("处罚种类,", "", ["缺少列“处罚种类”"]),
        ("罚款金额,违法领域", "违法领域,罚款金额", ["顺序"]),
        ("罚款金额", "罚款金额,备注", ["多出列“备注”"]),
    ],
)
def test_a_changed_header_holds_the_delivery(department, old, new, words):
    content = csv_bytes("penalties", [penalty(CODES[0], "文1")]).decode()
    assert old in content
    department.deliver("penalties", content.replace(old, new, 1).encode())
    delivery = only(take(department))
    assert delivery.status == "held"
    assert all(word in delivery.problem for word in words)
    assert Snapshot.objects.count() == 0


def test_a_flipped_bit_is_caught_by_the_manifest(department):
    folder = department.deliver("penalties", [penalty(CODES[0], "文1", fine_yuan="500.00")])
    path = folder / "penalties.csv"
    path.write_bytes(path.read_bytes().replace(b"500.00", b"900.00"))
    delivery = only(take(department))
    assert delivery.status == "rejected"
    assert "摘要不符" in delivery.problem


def test_without_the_manifest_check_the_flipped_bit_gets_in(department, monkeypatch):
    """Control: the guard above is what catches it."""
    monkeypatch.setattr(ingest, "check_files", lambda *_: None)
    folder = department.deliver("penalties", [penalty(CODES[0], "文1", fine_yuan="500.00")])
    path = folder / "penalties.csv"
    path.write_bytes(path.read_bytes().replace(b"500.00", b"900.00"))
    assert only(take(department)).status == "published"


def test_a_manifest_signed_by_another_is_rejected(department):
    folder = department.deliver("penalties", [penalty(CODES[0], "文1")])
    manifest = folder / "manifest.json"
    manifest.write_bytes(manifest.read_bytes().replace(b"2026-10-31", b"2026-11-01"))
    delivery = only(take(department))
    assert delivery.status == "rejected"
    assert "签名" in delivery.problem


@pytest.mark.parametrize(
    ("stated", "word"),
    [
        ({"dataset": "penaltys"}, "penalties"),
        ({"divisions": ["330999"]}, "330999"),
        ({"format": "other/1"}, "格式"),
        ({"file": {"name": "../x.csv"}}, "文件名"),
        ({"file": {"encoding": "gbk"}}, "gbk"),
    ],
)
def test_a_manifest_that_does_not_make_sense_is_rejected(department, stated, word):
    department.deliver("penalties", [penalty(CODES[0], "文1")], stated=stated)
    delivery = only(take(department))
    assert delivery.status == "rejected"
    assert word in delivery.problem


def test_a_row_count_other_than_stated_holds_the_delivery(department):
    stated = {"file": {"rows": 5}}
    department.deliver("penalties", [penalty(CODES[0], "文1")], stated=stated)
    delivery = only(take(department))
    assert delivery.status == "held"
    assert "1 行，清单写的是 5 行" in delivery.problem


def test_an_empty_file_is_not_fine(department):
    department.deliver("penalties", [])
    assert "一行数据也没有" in only(take(department)).problem


def test_a_shifted_period_waits_for_a_person(department):
    row = {"month": "2026-09", "insured_count": "1", "operator_insured": "是", "fully_paid": "是"}
    department.deliver("social_insurance", [row | {"trader_code": code} for code in CODES])
    delivery = only(take(department))
    assert (delivery.status, "错期" in delivery.problem) == ("held", True)


def test_a_period_after_the_last_day_of_the_data_waits_for_a_person(department):
    department.deliver("penalties", [penalty(CODES[0], "文1")], period="2026-11")
    delivery = only(take(department))
    assert (delivery.status, "2026-11" in delivery.problem) == ("held", True)


def test_a_month_to_come_is_set_aside(department):
    row = {"month": "2026-10", "insured_count": "1", "operator_insured": "是", "fully_paid": "是"}
    rows = [row | {"trader_code": code} for code in CODES] * 2
    department.deliver("social_insurance", [*rows, rows[0] | {"month": "2027-01"}])
    assert only(take(department)).quarantined == 1
    assert selectors.count_quarantine()[0].reason_code == "future"


def test_a_period_that_shrinks_by_a_third_waits_for_a_person(department):
    def months(count, month):
        return [
            {"trader_code": code, "month": month, "insured_count": str(n % 7 + 1),
             "operator_insured": "是", "fully_paid": "是"}
            for n, code in enumerate(code_list(count))
        ]  # fmt: skip

    first = {"period": "2026-09", "covers_until": "2026-09-30",
             "issued_at": "2026-10-05T09:00:00+08:00"}  # fmt: skip
    department.deliver("social_insurance", months(300, "2026-09"), **first)
    department.deliver("social_insurance", months(150, "2026-10"))
    report = take(department)
    assert [d.status for d in report.deliveries] == ["held", "published"]
    assert "超过 30%" in report.deliveries[0].problem

    released = services.release_held("social_insurance-2026-10", by="数据员", reason="已核", at=AT)
    assert only(released).status == "published"


def code_list(count):
    from getihu.kernel.codes import check_character

    heads = (f"92330302MA2{n:06d}" for n in range(count))
    return [head + check_character(head) for head in heads]


def test_a_delivery_sent_again_acts_once(department):
    rows = [penalty(CODES[0], "文1")]
    department.deliver("penalties", rows)
    first = take(department).snapshot
    department.deliver("penalties", rows, folder="again")
    report = take(department)
    assert {d.status for d in report.deliveries} == {"duplicate"}
    assert report.snapshot == first


def test_other_content_under_an_old_number_is_held(department):
    department.deliver("penalties", [penalty(CODES[0], "文1")])
    take(department)
    department.deliver("penalties", [penalty(CODES[0], "文1", fine_yuan="1.00")], folder="again")
    statuses = sorted(d.status for d in take(department).deliveries)
    assert statuses == ["duplicate", "held"]


def test_a_late_delivery_is_ordinary_and_marked(department):
    department.deliver("penalties", [penalty(CODES[0], "文1")], covers_until="2026-08-31")
    delivery = only(take(department))
    assert (delivery.status, delivery.is_late) == ("published", True)


def test_the_order_of_arrival_does_not_matter(department, data_dir):
    parts = {
        "penalties-1": {"rows": [penalty(CODES[0], "文1")],
                        "issued_at": "2026-09-05T09:00:00+08:00", "covers_until": "2026-08-31"},
        "penalties-2": {"rows": [penalty(CODES[1], "文2")],
                        "issued_at": "2026-10-05T09:00:00+08:00", "covers_until": "2026-09-30"},
        "penalties-3": {"rows": [penalty(CODES[0], "文1", fine_yuan="600.00")],
                        "corrects": "penalties-1"},
    }  # fmt: skip
    final = set()
    for order in itertools.permutations(parts):
        Snapshot.objects.all().delete()
        Delivery.objects.all().delete()
        shutil.rmtree(data_dir / "dataplane", ignore_errors=True)
        for name in order:
            part = dict(parts[name])
            department.deliver("penalties", part.pop("rows"), delivery_id=name, **part)
            take(department)
            shutil.rmtree(department.inbox / name)
        rows = [row[:-1] for row in stored(data_dir, "penalties")]
        final.add((selectors.get_published_snapshot().snapshot_id, str(rows)))
    assert len(final) == 1


def test_a_crash_before_publishing_leaves_the_old_snapshot(department, data_dir, monkeypatch):
    department.deliver("penalties", [penalty(CODES[0], "文1")], delivery_id="penalties-1")
    before = take(department).snapshot
    department.deliver("penalties", [penalty(CODES[1], "文2")], delivery_id="penalties-2")

    def killed(at):
        raise KeyboardInterrupt

    monkeypatch.setattr(ingest, "_insert_snapshot", killed)
    with pytest.raises(KeyboardInterrupt), transaction.atomic():
        take(department)
    assert selectors.get_published_snapshot() == before
    monkeypatch.undo()
    after = take(department).snapshot
    assert after.number == 2
    assert len(stored(data_dir, "penalties")) == 2


def test_the_store_can_be_thrown_away_and_made_again(department, data_dir):
    department.deliver("penalties", [penalty(CODES[0], f"文{n}") for n in range(5)])
    take(department)
    before = stored(data_dir, "penalties")
    shutil.rmtree(data_dir / "dataplane" / "store")
    services.rebuild()
    assert stored(data_dir, "penalties") == before


def test_only_one_ingest_at_a_time(department):
    with services.store_alone(), pytest.raises(services.IngestRunning):
        take(department)


def test_the_database_refuses_a_delivery_whose_rows_do_not_add_up():
    with pytest.raises(IntegrityError), transaction.atomic():
        Delivery.objects.create(
            delivery_id="x", content_sha256="x", dataset="penalties", department="amr",
            period="2026", received_at=AT, status="published", rows_in=3, accepted=2,
        )  # fmt: skip


def test_the_office_file_cannot_run_a_formula(department, data_dir):
    rows = [penalty(CODES[0], f"文{n}") for n in range(9)]
    department.deliver("penalties", [*rows, penalty("=1+1", "文10")])
    path = selectors.quarantine_file(only(take(department)).delivery_id)
    text = path.read_text("utf-8-sig")
    assert "'=1+1" in text
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")


def test_feeds_say_who_is_late(department):
    department.deliver("penalties", [penalty(CODES[0], "文1")])
    take(department)
    feeds = {f.dataset: f for f in selectors.list_feeds(AT)}
    assert (feeds["penalties"].is_late, str(feeds["penalties"].covered_until)) == (
        False, "2026-10-31",
    )  # fmt: skip
    assert feeds["loans"].is_late
    assert feeds["loans"].covered_until is None
    later = {f.dataset: f for f in selectors.list_feeds(datetime(2027, 1, 5, tzinfo=UTC))}
    assert later["penalties"].is_late


def test_a_missing_county_is_named(department):
    department.deliver("penalties", [penalty(CODES[0], "文1")], divisions=("330302", "330303"))
    take(department)
    feed = next(f for f in selectors.list_feeds(AT) if f.dataset == "penalties")
    assert "泰顺县" in feed.behind
    assert feed.covered_until is None


def test_a_folder_without_a_manifest_is_told(department):
    (department.inbox / "reg").mkdir()
    (department.inbox / "reg" / "x.csv").write_text("a,b\n")
    (department.inbox / "loose.csv").write_text("a,b\n")
    told = {d.delivery_id: (d.status, d.problem) for d in take(department).deliveries}
    assert {status for status, _ in told.values()} == {"rejected"}
    assert "缺少 manifest.json" in told["reg"][1]
    assert "不在批次目录里" in told["loose.csv"][1]


def test_a_single_delivery_may_be_named_itself(department):
    folder = department.deliver("registrations", [registration(CODES[0])])
    report = services.ingest_directory(folder, at=AT)
    assert only(report).status == "published"


def test_a_folder_with_nothing_to_take_in_is_told(department):
    with pytest.raises(services.NoDelivery, match="没有批次"):
        take(department)


def test_a_correction_names_what_it_corrects(department):
    department.deliver(
        "registrations", [registration(CODES[0])], delivery_id="registrations-2026-10"
    )
    take(department)
    department.deliver(
        "registrations",
        [registration(CODES[0])],
        delivery_id="r-2",
        corrects="registrations-2026-01",
    )
    department.deliver(
        "penalties", [penalty(CODES[0], "文1")], delivery_id="p-1", corrects="registrations-2026-10"
    )
    problems = {d.delivery_id: d.problem for d in take(department).deliveries if d.status == "held"}
    assert set(problems) == {"r-2", "p-1"}
    assert "是不是 registrations-2026-10" in problems["r-2"]
    assert "同一数据集里没有" in problems["p-1"]


def test_a_number_belongs_to_the_department_that_used_it_first(department):
    department.deliver("registrations", [registration(CODES[0])], delivery_id="batch-1")
    take(department)
    shutil.rmtree(department.inbox / "batch-1")
    department.deliver("tax_years", [], delivery_id="batch-1", period="2025")
    delivery = only(take(department))
    assert delivery.status == "held"
    assert "温州市市场监督管理局用过" in delivery.problem


def test_a_held_delivery_says_what_is_wrong_and_how_to_release_it(department):
    rows = [registration(code) for code in CODES] + [registration("92330302MA2ABCDE3G")]
    department.deliver("registrations", rows, delivery_id="r-1")
    problem = only(take(department)).problem
    assert "registrations.csv 第 5 行“统一社会信用代码”" in problem
    assert "getihu release r-1" in problem
    report = services.release_held("r-1", by="A1", reason="已核对", at=AT)
    assert only(report).status == "published"


def test_a_repeated_column_is_named(department):
    content = csv_bytes("registrations", [registration(CODES[0])], "utf-8")
    department.deliver(
        "registrations", content.replace("名称".encode(), "统一社会信用代码".encode(), 1)
    )
    assert "列“统一社会信用代码”出现两次" in only(take(department)).problem


def test_an_unreadable_file_stops_its_own_delivery_only(department, monkeypatch):
    department.deliver("registrations", [registration(CODES[0])], delivery_id="r-1")
    department.deliver("penalties", [penalty(CODES[0], "文1")], delivery_id="p-1")
    copy = ingest._copy

    def broken(source, target):
        if source.parent.name == "p-1":
            raise PermissionError(13, "Permission denied", str(source))
        copy(source, target)

    monkeypatch.setattr(ingest, "_copy", broken)
    status = {d.delivery_id: d.status for d in take(department).deliveries}
    assert status == {"r-1": "published", "p-1": "rejected"}
