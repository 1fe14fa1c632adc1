"""Every word of the contracts, the delivery files and the types stands in the glossary."""

import re
from pathlib import Path

import pytest
import yaml

from getihu.dataplane import contracts as data_contracts
from getihu.reference import selectors
from getihu.rulebook import contracts as rule_contracts

ROOT = Path(__file__).resolve().parent.parent.parent
GLOSSARY = (ROOT / "GLOSSARY.md").read_text("utf-8")
WORDS = set(re.findall(r"[a-z_]+", GLOSSARY.lower()))
ENUMS = [
    data_contracts.FactType,
    data_contracts.FactState,
    data_contracts.PersonalClass,
    rule_contracts.Truth,
]


@pytest.mark.parametrize("enum", ENUMS, ids=lambda enum: enum.__name__)
def test_every_value_of_the_contracts_is_explained(enum):
    assert [value.value for value in enum if value.value not in WORDS] == []


DATASETS = sorted((ROOT / "src/getihu/dataplane/datasets").glob("*.yaml"))


@pytest.mark.parametrize("path", DATASETS, ids=lambda path: path.stem)
def test_every_label_of_a_delivery_stands_beside_its_value(path):
    columns = yaml.safe_load(path.read_text("utf-8"))["columns"]
    pairs = [pair for column in columns for pair in column.get("values", {}).items()]
    missing = [
        (value, label) for value, label in pairs if value not in WORDS or label not in GLOSSARY
    ]
    assert missing == []


def test_every_department_stands_with_its_short_name():
    rows = [f"| {d.code} | {d.name} | {d.short_name} |" for d in selectors.list_departments()]
    assert [row for row in rows if row not in GLOSSARY] == []


def test_every_type_stands_with_its_label():
    path = ROOT / "src/getihu/growth/rules/growth.trader_type.yaml"
    values = yaml.safe_load(path.read_text("utf-8"))["values"]
    missing = [v for v, label in values.items() if v not in WORDS or label[-2:] not in GLOSSARY]
    assert missing == []


def test_a_term_is_explained_once():
    terms = re.findall(r"^\| ([a-z][^|]*?) \|", GLOSSARY, flags=re.M)
    twice = {term for term in terms if terms.count(term) > 1}
    # The same word names a delivery's and a fact's or registration's state.
    assert twice <= {"held"}
