"""Mistakes in fact files are told with file, line, field, the nearest name and the way out."""

import pytest

from getihu.dataplane import selectors
from getihu.dataplane.catalogue.facts import FACTS_DIR, load_fact_groups
from getihu.dataplane.catalogue.facts_check import check_fact_sql
from getihu.dataplane.contracts import FactType
from getihu.kernel.errors import InvalidInput

GOOD = """\
group: penalties
label: 行政处罚
dataset: penalties
shape: many
null_means: 未送达
facts:
  - name: penalties_12m
    label: 近12个月行政处罚次数
    type: integer
    unit: count
    value: count(*) FILTER (decided_on > $as_of_minus_12m)
    absent: zero
    personal: none
"""


def problems(tmp_path, text, name="penalties"):
    (tmp_path / f"{name}.yaml").write_text(text, "utf-8")
    with pytest.raises(InvalidInput) as caught:
        check_fact_sql(load_fact_groups(selectors.dataset_contracts(), tmp_path))
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("good", "bad", "said"),
    [
        (
            "dataset: penalties",
            "dataset: penalty",
            ["penalties.yaml:3 [dataset]", "改为“penalties”"],
        ),
        ("shape: many", "shape: lots", ["penalties.yaml:4 [shape]", "不认识“lots”", "one、many"]),
        ("label: 行政处罚\n", "lable: 行政处罚\n", ["penalties.yaml:2 [lable]", "改为“label”"]),
        ("group: penalties", "group: fines", ["[group]", "与文件名不一致", "group: penalties"]),
        ("type: integer", "type: intger", ["penalties.yaml:9 [facts.type]", "改为“integer”"]),
        ("    unit: count\n", "", ["[facts.unit]", "没有单位"]),
        ("absent: zero", "absent: false", ["penalties.yaml:12 [facts.absent]", "改用 unknown"]),
        ("absent: zero", "absent: sql", ["[facts.absent_sql]", "absent_sql 与 absent 不符"]),
        ("personal: none", "personal: nobody", ["[facts.personal]", "不认识“nobody”"]),
        ("name: penalties_12m", "name: Penalties", ["[facts.name]", "小写字母"]),
        ("$as_of_minus_12m", "$asof", ["penalties.yaml:11 [facts.value]", "改为“$as_of”"]),
        ("decided_on", "decided_an", ["penalties.yaml:7 [value]", "改为“decided_on”"]),
        ("count(*) FILTER (", "count(* FILTER (", ["[value]", "SQL 不能执行"]),
        (
            "count(*) FILTER (decided_on > $as_of_minus_12m)",
            "max(decided_on)",
            ["penalties.yaml:7 [value]", "声明为 integer", "DATE", "BIGINT"],
        ),
        ("count(*) FILTER", "avg(fine_yuan) FILTER", ["[value]", "DOUBLE"]),
        ("facts:", "facts: []\nrest:", ["[rest]", "没有名为“rest”的项"]),
        ("    type: integer\n", "    type: integer\n    type: date\n", [":10 [type]", "写了两次"]),
        ("shape: many", "shape: [many", ["不是合法的 YAML"]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_mistake_is_told_where_it_is(tmp_path, good, bad, said):
    found = problems(tmp_path, GOOD.replace(good, bad, 1))
    assert len(found) == 1
    assert [words for words in said if words not in found[0]] == []
    assert "处理办法" in found[0]


def test_a_name_used_twice_names_the_other_file(tmp_path):
    (tmp_path / "honours.yaml").write_text(
        GOOD.replace("group: penalties", "group: honours").replace("dataset: pen", "dataset: pen"),
        "utf-8",
    )
    found = problems(tmp_path, GOOD)
    assert found == [
        "penalties.yaml:7 [name] 事实“penalties_12m”在 honours.yaml 中已经声明 处理办法：换一个名称"
    ]


def test_all_problems_of_all_files_are_told_together(tmp_path):
    wrong = GOOD.replace("type: integer", "type: intger").replace("absent: zero", "absent: nil")
    assert len(problems(tmp_path, wrong)) == 2


def test_a_file_that_is_not_utf8_says_so(tmp_path):
    (tmp_path / "penalties.yaml").write_bytes(GOOD.encode("gb18030"))
    with pytest.raises(InvalidInput, match="不是 UTF-8"):
        load_fact_groups(selectors.dataset_contracts(), tmp_path)


def test_the_shipped_facts_are_enough_and_complete():
    catalogue = selectors.fact_catalogue()
    assert len(catalogue) >= 85
    assert {fact.dataset for fact in catalogue.values()} == set(selectors.dataset_contracts())
    assert all(fact.label and fact.null_means for fact in catalogue.values())
    money = [fact for fact in catalogue.values() if fact.type is FactType.MONEY]
    assert {fact.unit for fact in money} == {"yuan"}
    assert len(list(FACTS_DIR.glob("*.yaml"))) == 17


def test_the_values_of_an_enum_fact_are_those_of_its_column():
    groups = selectors.fact_groups()
    for group in groups.values():
        columns = {c.name: c.values for c in group.contract.columns if c.values}
        for fact in group.facts:
            if fact.value in columns:
                assert fact.declaration.values == columns[fact.value], fact.name
