"""Contract files: what is wrong is said with file, line, field, the nearest name and the way out."""

from pathlib import Path

import pytest

from getihu.dataplane.catalogue.contracts import DATASETS_DIR, load_contracts
from getihu.kernel.errors import InvalidInput

PLAIN = (DATASETS_DIR / "housing_fund.yaml").read_text("utf-8")


def problems_of(folder: Path, text: str | bytes) -> list[str]:
    path = folder / "housing_fund.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(InvalidInput) as error:
        load_contracts(folder)
    return [str(problem) for problem in error.value.problems]


def test_every_shipped_contract_loads():
    contracts = load_contracts()
    assert len(contracts) == 17
    assert {c.kind for c in contracts.values()} == {"state", "period", "event"}


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("kind: period", "kind: periodd", 4, ["periodd", "是不是 period？"]),
        ("kind: period", "kin: period", 4, ["没有这个键：kin", "是不是 kind？"]),
        ("department: housing_fund", "department: housing_fun", 3, ["housing_fund"]),
        ("cadence: monthly", "cadence: weekly", 5, ["weekly", "monthly"]),
        ("grace_days: 20", "grace_days: 二十", 6, ["整数"]),
        ("grace_days: 20", "grace_days: true", 6, ["整数"]),
        ("key: [trader_code, month]", "key: trader_code", 7, ["列表"]),
        ("key: [trader_code, month]", "key: [trader_code, mont]", 7, ["mont", "是不是 month？"]),
        ("valid_on: month", "valid_on: contributors", 8, ["date 或 month"]),
        ("type: credit_code", "type: credit", 12, ["credit_code"]),
        ("type: integer", "type: int", 14, ["integer"]),
        ("personal: business, unit: person", "personal: busines, unit: person", 14, ["business"]),
        ("required: true, personal: business, unit: yuan", "required: 是, personal: business", 15,
         ["true 或 false"]),
        ("required: true, personal: business, unit: yuan",
         "required: false, personal: business", 15, ["null_means"]),
        ("name: paid_yuan", "name: contributors", 15, ["contributors", "改其中一个"]),
        ("name: paid_yuan", "name: known_at", 15, ["known_at"]),
        ("name: paid_yuan", "name: 缴存额", 15, ["小写英文"]),
        ("header: 缴存额", "header: 缴存人数", 15, ["缴存人数"]),
        ("header: 缴存额", "header: 记录状态", 15, ["记录状态"]),
        ("type: money", "type: enum", 15, ["values"]),
        ("type: money", "type: enum, values: {a: 甲, b: 甲}", 15, ["同一个标签"]),
        ("id: housing_fund", "id: housing", 1, ["housing_fund"]),
        ("id: housing_fund\n", "id: housing_fund\nid: x\n", 2, ["写了两次"]),
        ("absence: 当月", "absence: [当月", 11, ["YAML"]),
        ("title: 住房公积金缴存", "title:", 2, ["title 应为文字"]),
    ],
)  # fmt: skip
def test_a_mistake_is_named_at_its_line(tmp_path, old, new, line, words):
    assert old in PLAIN
    problems = problems_of(tmp_path, PLAIN.replace(old, new, 1))
    told = [p for p in problems if f"housing_fund.yaml:{line} " in p or f":{line}:" in p]
    assert told, problems
    assert all(any(word in p for p in told) for word in words), problems


def test_all_mistakes_of_all_files_are_told_at_once(tmp_path):
    (tmp_path / "loans.yaml").write_bytes(b"\xff\xfe")
    text = PLAIN.replace("type: integer", "type: int").replace("type: money", "type: yuan")
    problems = problems_of(tmp_path, text)
    assert len(problems) == 3
    assert {problem.split(":")[0].split()[0] for problem in problems} == {
        "housing_fund.yaml",
        "loans.yaml",
    }


@pytest.mark.parametrize("text", ["", "- a\n", "7\n", "columns: 3\n", "{}\n"])
def test_a_file_that_is_no_contract_is_told_so(tmp_path, text):
    assert problems_of(tmp_path, text)
