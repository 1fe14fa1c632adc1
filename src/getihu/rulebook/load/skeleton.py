"""The first text of a new rule and of its cases: complete, passing, and marked where to fill in."""

import re
from pathlib import Path
from string import Template

from getihu.kernel.errors import GetihuError

# A value that begins so is the author's to write; the check refuses it until it is gone.
TO_FILL = "待填"
_NAME = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*")

_RULE = Template("""\
# $id：照原文改。每个“待填”都要换掉，getihu rules check 会指出还剩哪几处。
# 写法：docs/how-to/add-a-policy.md；能用的事实：docs/reference/facts.md。
id: $id
title: 待填：规则的名称，像文件里那样写
kind: eligibility
code: 待填：政策编号，没有就写文号
source:
  document: 待填：发文机关和文号
  title: 待填：文件名
  article: 待填：第几条
  url: 待填：原文网址
  trust: S                # L 读过法规全文，G 政府网页，M 转载，S 二手
region: "$region"         # CN，或 GB/T 2260 代码；对其中各地都有效
subjects: [individual]    # individual、enterprise（个转企企业）、employer（用人单位）
valid_from: 2026-01-01
valid_until: 2027-01-01   # 失效的第一天；没有看到终止日写 null
decides_on: as_of         # 或 application，或 {event: 事实名}、{period_end: 事实名}
date_note: 待填：以哪一天为准，为什么
benefit: {kind: 奖励, text: 待填：给什么，店主看得懂的一句话}
# legal_basis: {text: 某条例 第几条, kind: regulation}   # 地方给钱的必须有：公平竞争审查条例 第十条
parameters:
  least_months: {label: 登记满几个月, value: 12, unit: month, source: 待填：文件第几条}
  reward_yuan: {label: 奖励, value: 1000, unit: yuan, source: 待填：文件第几条}
clauses:
  is_active:
    label: 登记在册
    when: "registration_status = 'active'"
    article: 待填：第几条
  is_settled:
    label: 登记满规定的月数
    when: "registered_months >= least_months"
    article: 待填：第几条
requires: {all_of: [is_active, is_settled]}
amount: {yuan: "reward_yuan", label: 奖励金额, round: half_up_2, article: 待填：第几条}
""")

_CASES = """\
# 每种结果、每个边界的两侧、每个可能未知的事实，都要有一个案例。
defaults:
  subject_kind: individual
  county_code: "330302"
  registration_status: active
  registered_months: 12
cases:
  - name: 刚满月数，符合
    as_of: 2026-06-01
    facts: {}
    expect: yes
    amount: 1000
  - name: 差一个月
    as_of: 2026-06-01
    facts: {registered_months: 11}
    expect: no
  - name: 已注销
    as_of: 2026-06-01
    facts: {registration_status: cancelled}
    expect: no
  - name: 登记数据没有送来
    as_of: 2026-06-01
    facts: {registration_status: null, registered_months: null}
    expect: unknown
    missing: [registration_status, registered_months]
  - name: 过期以后
    as_of: 2027-01-01
    facts: {}
    expect: not_applicable
"""


class RuleExists(GetihuError):
    """There is a rule of this name already."""


class NotARuleName(GetihuError):
    """A rule is named slice.name, in small Latin letters, and its slice keeps rules."""


def starting_texts(rule_id: str, region: str) -> tuple[str, str]:
    """The text of a new rule and of its cases. Raises: NotARuleName."""
    if not _NAME.fullmatch(rule_id):
        raise NotARuleName(
            f"规则编号“{rule_id}”不合规则。处理办法：写成 部分.名称，用小写字母、数字和下划线。"
        )
    return _RULE.substitute(id=rule_id, region=region), _CASES


def write_skeleton(rule_id: str, region: str, folders: tuple[Path, ...]) -> tuple[Path, Path]:
    """Write the rule and its cases into the folder of its slice; returns the two files.

    Raises: NotARuleName, RuleExists. Nothing is overwritten.
    """
    homes = {folder.parent.name: folder for folder in folders}
    part = rule_id.partition(".")[0]
    if not _NAME.fullmatch(rule_id) or part not in homes:
        raise NotARuleName(
            f"规则编号“{rule_id}”不合规则。处理办法：写成 部分.名称，用小写字母、数字和下划线；"
            f"部分有：{'、'.join(sorted(homes))}。"
        )
    rule, cases = homes[part] / f"{rule_id}.yaml", homes[part] / f"{rule_id}.cases.yaml"
    if any(homes[part].glob(f"{rule_id}*.yaml")):
        raise RuleExists(
            f"已经有 {rule_id} 的规则文件（{homes[part]}）。"
            "处理办法：换一个编号；要改现有的规则，在它的页面上“改条件”，存成新版本。"
        )
    try:
        with rule.open("x", encoding="utf-8") as file:
            file.write(_RULE.substitute(id=rule_id, region=region))
        with cases.open("x", encoding="utf-8") as file:
            file.write(_CASES)
    except OSError as error:
        rule.unlink(missing_ok=True)
        raise NotARuleName(f"写不进 {homes[part]}：{error.strerror}。") from error
    return rule, cases
