"""The demo city: the same seed gives the same bytes, files keep their contracts, dirt is counted."""

import base64
import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes, serialization

from getihu.gateways.demo_city import make_city
from getihu.gateways.demo_city.feeds import contract
from getihu.kernel.codes import is_credit_code, is_sole_trader_code
from tests.gateways.conftest import SMALL


def digest(folder: Path) -> str:
    """One hash over all paths and bytes below a folder."""
    total = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        total.update(str(path.relative_to(folder)).encode() + b"\0" + path.read_bytes())
    return total.hexdigest()


def test_same_seed_and_size_give_the_same_bytes(small_city, tmp_path):
    out, _ = small_city
    make_city(tmp_path / "again", traders=SMALL, seed=1)
    assert digest(tmp_path / "again") == digest(out)


def test_another_process_gives_the_same_bytes(small_city, tmp_path):
    out, _ = small_city
    program = (
        "import sys; from pathlib import Path; from getihu.gateways.demo_city import make_city;"
        f"make_city(Path(sys.argv[1]), traders={SMALL}, seed=1)"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path / "other")], check=True)
    assert digest(tmp_path / "other") == digest(out)


def test_another_seed_gives_other_traders(small_city, tmp_path):
    _, summary = small_city
    other = make_city(tmp_path / "other", traders=SMALL, seed=2)
    assert other.personas[0]["trader_code"] != summary.personas[0]["trader_code"]


def test_every_manifest_is_signed_and_every_file_matches_it(small_city):
    out, summary = small_city
    checked = 0
    for delivery in summary.deliveries:
        folder = out / delivery.folder
        text = (folder / "manifest.json").read_bytes()
        manifest = json.loads(text)
        pem = (out / "keys" / f"{manifest['department']}.pem").read_bytes()
        signature = base64.b64decode((folder / "manifest.sig").read_bytes())
        serialization.load_pem_public_key(pem).verify(signature, text)
        if delivery.status == "rejected":
            continue
        for entry in manifest["files"]:
            data = (folder / entry["name"]).read_bytes()
            sm3 = hashes.Hash(hashes.SM3())
            sm3.update(data)
            assert entry["sha256"] == hashlib.sha256(data).hexdigest()
            assert entry["sm3"] == sm3.finalize().hex()
            assert entry["bytes"] == len(data)
            assert entry["rows"] == data.count(b"\n") - 1
            checked += 1
    assert checked >= len(summary.deliveries) - 1


def test_headers_are_the_contracts_and_the_record_status(small_city):
    out, summary = small_city
    for delivery in summary.deliveries:
        for path in (out / delivery.folder).glob("*.csv"):
            first = path.read_bytes().split(b"\n", 1)[0]
            manifest = json.loads((out / delivery.folder / "manifest.json").read_bytes())
            encoding = manifest["files"][0]["encoding"] or "gb18030"
            header = first.decode(encoding).split(",")
            assert header == contract(delivery.dataset).headers()
            assert header[-1] == "记录状态"


def test_rows_obey_the_conservation_law(small_city):
    out, summary = small_city
    for delivery in summary.deliveries:
        if delivery.status in ("published", "duplicate"):
            counted = delivery.accepted + delivery.quarantined + delivery.duplicate
            assert delivery.rows == counted
        manifest = json.loads((out / delivery.folder / "manifest.json").read_bytes())
        assert delivery.rows == sum(entry["rows"] for entry in manifest["files"])


def test_less_than_two_in_a_hundred_rows_are_bad(small_city):
    _, summary = small_city
    assert 0.001 < summary.quarantine_share < 0.02


def test_codes_in_the_register_are_valid_and_unique(small_city):
    out, _ = small_city
    text = (out / "registrations-2026-07" / "registrations.csv").read_bytes()
    lines = text.decode("gb18030", errors="ignore").splitlines()[1:]
    codes = [line.split(",")[0] for line in lines]
    good = [code for code in codes if is_credit_code(code)]
    assert len(good) > 0.99 * len(codes)
    assert all(is_sole_trader_code(code.strip().upper()) for code in good if code.isascii())
    assert len(set(good)) > 0.99 * len(good)


def test_personas_are_listed_with_code_and_situation(small_city):
    out, summary = small_city
    personas = json.loads((out / "personas.json").read_text("utf-8"))
    assert [p["id"] for p in personas] == [p["id"] for p in summary.personas]
    assert all(is_credit_code(p["trader_code"]) and p["situation"] for p in personas)


def test_a_city_too_small_is_refused(tmp_path):
    with pytest.raises(ValueError, match="至少要 200 户"):
        make_city(tmp_path, traders=199, seed=1)


@pytest.mark.parametrize("seed", [3, 4, 5])
def test_even_the_smallest_city_has_no_empty_delivery(tmp_path, seed):
    summary = make_city(tmp_path, traders=200, seed=seed)
    assert all(delivery.rows > 0 for delivery in summary.deliveries)


def test_an_inbox_with_deliveries_is_not_overwritten(small_city):
    out, _ = small_city
    with pytest.raises(FileExistsError):
        make_city(out, traders=SMALL, seed=1)
