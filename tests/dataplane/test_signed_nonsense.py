"""Manifests that are well signed and make no sense: refused with a reason, never a crash."""

import copy
import json
import random
from datetime import UTC, datetime

import pytest

from getihu.dataplane import selectors, services
from getihu.dataplane.models import Delivery, Snapshot
from tests.dataplane.department import CODES, penalty

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 6, tzinfo=UTC)
ODD_VALUES = [
    None, True, -1, 0, 10**30, 1.5, "", "x", "../../etc", "a" * 300, "\ud800", "2026-13", "9999-12-31",
    "0001-01-01T00:00:00+00:00", "2026-10-31T08:00:00", [], [[]], [None], ["330300", "330300"],
    ["330999"], {}, {"a": []},
]  # fmt: skip


def take(department):
    return services.ingest_directory(department.inbox, at=AT)


def mutated(manifest: dict, rng: random.Random) -> dict:
    """The manifest with one value, of the whole or of its file, replaced or lost."""
    manifest = copy.deepcopy(manifest)
    place = manifest["files"][0] if rng.random() < 0.4 else manifest
    key = rng.choice(sorted(place))
    if rng.random() < 0.1:
        del place[key]
    else:
        place[key] = rng.choice(ODD_VALUES)
    return manifest


@pytest.mark.parametrize("seed", range(4))
def test_signed_nonsense_is_refused_and_publishes_nothing(department, seed):
    rng = random.Random(seed)
    good = department.deliver("penalties", [penalty(CODES[0], "文1")])
    manifest = json.loads((good / "manifest.json").read_bytes())
    content = (good / "penalties.csv").read_bytes()
    for path in good.iterdir():
        path.unlink()
    good.rmdir()
    for number in range(50):
        folder = department.inbox / f"odd-{number}"
        folder.mkdir()
        (folder / "penalties.csv").write_bytes(content)
        department.sign(folder, "amr", mutated(manifest, rng))
    report = take(department)
    assert len(report.deliveries) == 50
    assert {d.status for d in report.deliveries} <= {"rejected", "held", "published", "duplicate"}
    assert sum(d.status == "published" for d in report.deliveries) <= 6
    for delivery in report.deliveries:
        assert delivery.status == "published" or delivery.problem


@pytest.mark.parametrize(
    "raw",
    [b"", b"{", b"[]", b"null", b"[" * 100_000, b"\xff\xfe", b'{"format": "getihu-delivery/1"}'],
    ids=["empty", "cut", "list", "null", "deep", "bytes", "no_keys"],
)
def test_a_manifest_that_is_none_is_rejected(department, raw):
    folder = department.deliver("penalties", [penalty(CODES[0], "文1")])
    (folder / "manifest.json").write_bytes(raw)
    (delivery,) = take(department).deliveries
    assert delivery.status == "rejected"
    assert "处理办法" in delivery.problem


def test_a_file_listed_twice_is_not_counted_twice(department):
    folder = department.deliver("penalties", [penalty(CODES[0], "文1")])
    manifest = json.loads((folder / "manifest.json").read_bytes())
    manifest["files"] *= 2
    department.sign(folder, "amr", manifest)
    (delivery,) = take(department).deliveries
    assert (delivery.status, "两次" in delivery.problem) == ("rejected", True)


@pytest.mark.parametrize("content", [b"", b"not a key", b"-----BEGIN PUBLIC KEY-----\nAA==\n"])
def test_a_broken_public_key_rejects_and_says_whose(department, content):
    department.deliver("penalties", [penalty(CODES[0], "文1")])
    (department.keys / "amr.pem").write_bytes(content)
    (delivery,) = take(department).deliveries
    assert "amr.pem" in delivery.problem


def test_a_link_to_another_file_is_no_delivered_file(department, tmp_path):
    folder = department.deliver("penalties", [penalty(CODES[0], "文1")])
    (folder / "penalties.csv").rename(tmp_path / "elsewhere.csv")
    (folder / "penalties.csv").symlink_to(tmp_path / "elsewhere.csv")
    (delivery,) = take(department).deliveries
    assert delivery.status == "rejected"


def test_a_file_that_changes_after_signing_leaves_nothing_landed(department, data_dir):
    folder = department.deliver("penalties", [penalty(CODES[0], "文1")])
    with (folder / "penalties.csv").open("ab") as handle:
        handle.write(b"x")
    (delivery,) = take(department).deliveries
    assert delivery.status == "rejected"
    assert list((data_dir / "dataplane" / "landed").iterdir()) == []


def test_the_same_bytes_read_in_another_encoding_are_other_content(department):
    rows = [penalty(CODES[0], "文1")]
    department.deliver("penalties", rows)
    take(department)
    department.deliver("penalties", rows, folder="again", stated={"file": {"encoding": None}})
    assert sorted(d.status for d in take(department).deliveries) == ["duplicate", "held"]


def test_a_held_delivery_keeps_its_list_until_a_person_decides(department, data_dir):
    rows = [penalty(CODES[0], "文1"), penalty("92330302MA2ABCDE0U", "文2")]
    department.deliver("penalties", rows)
    (delivery,) = take(department).deliveries
    assert (delivery.status, delivery.quarantined) == ("held", 1)
    (row,) = selectors.list_quarantined_rows(delivery.delivery_id, 0, 10)
    assert row.reason_code == "code_check"

    services.release_held(delivery.delivery_id, by="数据员", reason="已核", at=AT)
    assert selectors.quarantine_file(delivery.delivery_id).parent.name == "quarantine"


def test_a_rebuild_that_differs_touches_nothing(department, data_dir):
    department.deliver("penalties", [penalty(CODES[0], "文1")])
    take(department)
    stored = {p: p.read_bytes() for p in (data_dir / "dataplane" / "store").rglob("*.parquet")}
    Delivery.objects.update(accepted=2, rows_in=2)
    with pytest.raises(services.RebuildDiffers):
        services.rebuild()
    assert {p: p.read_bytes() for p in stored} == stored


def test_a_rebuild_gives_the_same_bytes_even_after_the_department_changed_its_key(
    department, data_dir
):
    department.deliver("penalties", [penalty(CODES[0], f"文{n}") for n in range(20)])
    take(department)
    root = data_dir / "dataplane"
    stored = {p: p.read_bytes() for p in root.rglob("*") if p.parts[-2] != "landed" and p.is_file()}
    (department.keys / "amr.pem").unlink()
    services.rebuild()
    assert {p: p.read_bytes() for p in stored} == stored
    assert Snapshot.objects.count() == 1


def test_a_landed_file_that_changed_cannot_be_rebuilt_from(department, data_dir):
    department.deliver("penalties", [penalty(CODES[0], "文1")])
    take(department)
    (landed,) = (data_dir / "dataplane" / "landed").glob("*/penalties.csv")
    landed.write_bytes(landed.read_bytes().replace(b"500.00", b"900.00"))
    with pytest.raises(services.Rejected):
        services.rebuild()
