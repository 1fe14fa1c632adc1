"""What every rule file and its cases must hold, read as plain YAML: independent of the loader."""

from pathlib import Path

import pytest
import sqlglot
import yaml
from django.conf import settings
from sqlglot import exp

TRUST_MARKS = set("LGMSDRX")
OURS = "本项目设定，非官方"
# policies.md section G, as far as a rule of this repository is concerned.
VECTORS = {
    "G-01": "policies.income_tax_half",
    "G-03": "policies.vat_threshold_2026",
    "G-04": "policies.vat_reduced_rate_2026",
    "G-04b": "policies.vat_threshold_2026",
    "G-05": "policies.vat_small_scale_2023",
    "G-06": "policies.vat_small_scale_2023",
    "G-07": "policies.veteran_startup",
    "G-09": "policies.veteran_startup",
    "G-10": "policies.expansion_subsidy_2024",
    "G-11": "policies.expansion_subsidy_2024",
    "G-12": "growth.yueqing_entry",
    "G-17": "growth.chaozhou_entry",
    "G-17b": "supervision.publication_term",
    "G-18": "supervision.publication_early_end",
    "G-18b": "supervision.credit_repair",
    "G-19": "supervision.publication_early_end",
    "G-21": "entry.simple_deregistration",
    "G-22": "entry.simple_deregistration",
    "G-23": "entry.suspension_extension",
    "G-26": "entry.small_catering",
    "G-27": "entry.small_catering",
    "G-28": "entry.stall_online",
    "G-30": "supervision.prepaid_card_zhejiang",
    "G-32": "supervision.first_breach_loose_food",
    "G-32b": "supervision.first_breach_linxiang",
    "G-33": "supervision.minor_expired_food",
    "G-43": "supervision.food_recheck",
    "G-45": "entry.operator_change_reregister",
}
# No department delivers the rank of the unit that issued the certificate: yes needs a person.
NEVER_YES = {"policies.transferred_cadre_exempt", "policies.vat_housing_rent_2026"}
ELSEWHERE = {
    "growth.chaozhou_entry",
    "growth.dandong_entry",
    "growth.hunan_scope",
    "growth.nantong_known",
    "growth.shaoguan_incentive",
    "growth.xianning_term",
    "growth.yanshan_window",
    "policies.conversion_above_quota_shenzhen_2023",
    "policies.conversion_pool_liaoning",
    "policies.conversion_reward_chengdu",
    "policies.conversion_reward_pingshan",
    "policies.conversion_reward_yinzhou_2014",
    "policies.disabled_startup_shaoxing_2011",
    "policies.shanxi_insurance",
    "policies.startup_insurance_hangzhou",
    "policies.startup_loan_jinhua_2022",
    "policies.startup_rent_hangzhou",
    "policies.startup_subsidy_hangzhou",
    "policies.unemployment_rate_guangdong_2023",
    "supervision.change_registration_shizuishan",
    "supervision.first_breach_linxiang",
    "supervision.mitigation_shaoxing",
    "supervision.premises_for_unlicensed_yuhang",
    "supervision.unlicensed_yuhang",
    "supervision.wording_shizuishan",
}


class Plain(yaml.SafeLoader):
    """YAML as text: dates, numbers and yes/no stay what the author typed."""


Plain.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag == "tag:yaml.org,2002:null"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read(path: Path) -> dict:
    return yaml.load(path.read_text("utf-8"), Loader=Plain)  # a SafeLoader


def rule_files() -> list[Path]:
    folders = [Path(folder) for folder in settings.RULE_DIRS]
    return sorted(p for f in folders for p in f.glob("*.yaml") if ".cases." not in p.name)


RULES = {path.stem: read(path) for path in rule_files()}
CASES = {path.stem: read(path.with_suffix(".cases.yaml")) for path in rule_files()}
every_rule = pytest.mark.parametrize("rule_id", sorted(RULES))


def facts_in_clauses(rule: dict) -> set[str]:
    names = set()
    for clause in rule["clauses"].values():
        tree = sqlglot.parse_one(clause["when"], dialect="duckdb")
        names |= {column.name for column in tree.find_all(exp.Column)}
    return names - set(rule.get("parameters", {})) - {"as_of", "decided_on"}


def outcomes(rule_id: str) -> set[str]:
    return {case["expect"] for case in CASES[rule_id]["cases"]}


@every_rule
def test_the_file_is_named_after_the_rule(rule_id):
    assert RULES[rule_id]["id"] == rule_id


@every_rule
def test_every_rule_names_its_text_link_and_trust_mark(rule_id):
    source = RULES[rule_id]["source"]
    assert source["document"] and source["title"] and source["article"]
    assert source["url"].startswith(("http://", "https://"))
    assert source["trust"] in TRUST_MARKS
    assert RULES[rule_id]["code"]


@every_rule
def test_every_parameter_has_a_unit_and_a_source_and_ours_say_so(rule_id):
    for name, parameter in RULES[rule_id].get("parameters", {}).items():
        assert parameter["label"] and parameter["unit"], name
        ours = parameter.get("official", "true") == "false"
        assert parameter["source"].startswith(OURS) == ours, name
        assert len(parameter["source"]) > len(OURS), name


@every_rule
def test_every_clause_has_a_label_and_an_article(rule_id):
    for name, clause in RULES[rule_id]["clauses"].items():
        assert clause["label"] and clause["article"], name


@every_rule
def test_subjects_and_a_note_on_the_date_are_always_given(rule_id):
    assert set(RULES[rule_id]["subjects"]) <= {"individual", "enterprise", "employer"}
    assert RULES[rule_id]["subjects"]
    assert RULES[rule_id]["date_note"]
    assert RULES[rule_id]["benefit"]["text"]


@every_rule
def test_every_outcome_has_a_case(rule_id):
    rule = RULES[rule_id]
    if rule["kind"] == "table":
        wanted = {*rule["values"], "unknown"}
    elif rule.get("incomplete"):
        wanted = {"unknown"}
    else:
        wanted = {"yes", "no", "unknown"} - ({"yes"} if rule_id in NEVER_YES else set())
    assert wanted - outcomes(rule_id) == set()
    assert outcomes(rule_id) - wanted <= {"not_applicable"}


@every_rule
def test_every_fact_of_a_rule_is_unknown_in_some_case(rule_id):
    never_unknown = facts_in_clauses(RULES[rule_id])
    for case in CASES[rule_id]["cases"]:
        never_unknown -= {name for name, value in case["facts"].items() if value is None}
    assert never_unknown == set()


@every_rule
def test_case_names_are_distinct(rule_id):
    names = [case["name"] for case in CASES[rule_id]["cases"]]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(("vector", "rule_id"), sorted(VECTORS.items()))
def test_every_published_vector_is_a_named_case(vector, rule_id):
    assert any(case["name"].startswith(f"{vector} ") for case in CASES[rule_id]["cases"])


@pytest.mark.parametrize("rule_id", sorted(ELSEWHERE))
def test_another_regions_rule_has_a_case_that_leaves_wenzhou_out(rule_id):
    defaults = CASES[rule_id].get("defaults") or {}
    in_wenzhou = [
        case
        for case in CASES[rule_id]["cases"]
        if ({**defaults, **case["facts"]}.get("county_code") or "").startswith("3303")
    ]
    assert in_wenzhou and {case["expect"] for case in in_wenzhou} == {"not_applicable"}


@every_rule
def test_every_rule_stands_in_the_map_of_the_plan(rule_id):
    plan = (Path(settings.BASE_DIR) / "docs" / "plan.md").read_text("utf-8")
    assert f"[`{rule_id}`]" in plan


def test_the_how_to_quotes_the_files_as_they_are():
    guide = (Path(settings.BASE_DIR) / "docs" / "how-to" / "add-a-policy.md").read_text("utf-8")
    blocks = [block.split("```")[0] for block in guide.split("```yaml\n")[1:]]
    quoted = {
        kind: next(yaml.load(block, Loader=Plain) for block in blocks if block.startswith(kind))
        for kind in ("id:", "defaults:")
    }
    rule_id = quoted["id:"]["id"]
    assert quoted["id:"] == RULES[rule_id]
    assert quoted["defaults:"]["defaults"] == CASES[rule_id]["defaults"]
    assert [c for c in quoted["defaults:"]["cases"] if c not in CASES[rule_id]["cases"]] == []
