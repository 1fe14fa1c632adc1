"""One small rule of the tests' own, and ways to spoil it."""

from pathlib import Path

from getihu.rulebook.load.folder import read_folder
from getihu.rulebook.load.rule import read_rule
from getihu.rulebook.model.rules import Rule
from tests.rulebook.catalogue import CATALOGUE

RULE_ID = "tests.small_shop"
SMALL_SHOP = """\
id: tests.small_shop
title: 小店补助
kind: eligibility
code: T-01
source:
  document: 测试〔2026〕1号
  title: 测试用的文件
  article: 第一条
  url: https://example.org/1
  trust: D
region: "330300"
subjects: [individual]
valid_from: 2026-01-01
valid_until: 2028-01-01
decides_on: as_of
benefit: {kind: 补助, text: 小店每名雇员补一百元。}
parameters:
  most_sales_yuan: {label: 年销售额上限, value: 300000, unit: yuan, source: 第一条}
  open_months: {label: 开业月数, value: 12, unit: month, source: "本项目设定，非官方；借用一年", official: false}
  per_person_yuan: {label: 每人补助, value: 100.50, unit: yuan, source: 第二条}
clauses:
  is_active:
    label: 登记在册
    when: "registration_status = 'active'"
    article: 第一条
  is_small:
    label: 年销售额不高
    when: "annual_sales_yuan <= most_sales_yuan"
    article: 第一条
  is_settled:
    label: 开业满一年
    when: >-
      established_on + open_months * interval '1' month
      <= as_of
    article: 第一条
  has_paid_tax:
    label: 缴过税
    when: "paid_tax_last_year"
    article: 第一条
requires: {all_of: [is_active, {any_of: [is_small, has_paid_tax]}, is_settled]}
amount: {yuan: "insured_employees * per_person_yuan / 3", label: 补助金额, round: half_up_2, article: 第二条}
"""
SIZE_TABLE = """\
id: tests.size
title: 规模
kind: table
source: {document: 无, title: 无, article: 无, url: https://example.org/2, trust: D}
region: CN
subjects: [individual, enterprise]
valid_from: 2020-01-01
decides_on: as_of
benefit: {kind: 分类, text: 无}
values: {large: 大, middle: 中, small: 小}
clauses:
  has_many: {label: 十人以上, when: "insured_employees >= 10", article: 一}
  sells_much: {label: 销售额高, when: "annual_sales_yuan >= 5000000", article: 二}
  has_some: {label: 三人以上, when: "insured_employees >= 3", article: 三}
rows:
  - {when: {all_of: [has_many, sells_much]}, value: large, label: 大, reason: 人多销售额高。}
  - {when: {any_of: [has_some, sells_much]}, value: middle, label: 中, reason: 有些规模。}
  - {otherwise: true, value: small, label: 小, reason: 规模不大。}
"""


def write(folder: Path, text: str = SMALL_SHOP, name: str | None = None) -> Path:
    """A rule file in a folder, named after the rule unless ``name`` says otherwise."""
    rule_id = text.split("id: ", 1)[1].splitlines()[0]
    path = folder / f"{name or rule_id}.yaml"
    path.write_text(text, "utf-8")
    return path


def load(folder: Path, text: str = SMALL_SHOP) -> Rule:
    """The loaded rule; fails the test when the text has a problem."""
    rule, document = read_rule(write(folder, text), CATALOGUE)
    assert rule is not None, [str(problem) for problem in document.problems]
    return rule


def problems(folder: Path, old: str, new: str, text: str = SMALL_SHOP):
    """The problems of the rule text after one replacement (which must change something)."""
    assert old in text
    _, found = read_folder([write(folder, text.replace(old, new, 1))], CATALOGUE)
    return found
