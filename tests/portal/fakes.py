"""A small hand-built city: what the layers below would answer, one instance per situation."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from types import SimpleNamespace as Given

from getihu.dataplane.contracts import (
    Column,
    DatasetContract,
    DeliverySummary,
    FactDeclaration,
    FactType,
    FeedStatus,
    PersonalClass,
    QuarantineCount,
    QuarantinedRow,
    SnapshotSummary,
)
from getihu.registry.contracts import ChangeRecord, TraderIdentity
from getihu.rulebook.contracts import (
    Advice,
    ClauseResult,
    Decision,
    Explanation,
    FactUsed,
    LegalSource,
    ParameterUsed,
    Question,
    Remedy,
    Truth,
)

CODE = "92330302MA2ABC001M"
AS_OF = date(2026, 10, 31)
SNAPSHOT = SnapshotSummary(
    snapshot_id="s0123456789ab",
    number=3,
    published_at=datetime(2026, 11, 3, 6, 5, tzinfo=UTC),
    data_until=AS_OF,
    deliveries=148,
    rows=1_234_567,
)
TRADER = TraderIdentity(
    trader_code=CODE,
    name="鹿城区阿华面馆",
    subject_kind="individual",
    status="active",
    status_label="存续",
    established_on=date(2019, 3, 4),
    industry_code="6210",
    industry_name="正餐服务",
    county_code="330302",
    county_name="鹿城区",
    town_code="330302001",
    town_name="五马街道",
    as_of=AS_OF,
)
CHANGES = [ChangeRecord("premises", "经营场所", date(2026, 4, 7))]


def fact(name: str, label: str, value, shown: str, **over) -> FactUsed:
    given = {
        "department": "tax",
        "department_name": "国家税务总局温州市税务局",
        "dataset": "tax_years",
        "recorded_on": date(2025, 12, 31),
        "covered_until": date(2025, 12, 31),
        "delivery_id": "tax_years-2025-01",
        "why_unknown": "",
    }
    return FactUsed(name=name, label=label, value=value, shown=shown, **{**given, **over})


TAX = fact("income_tax_yuan", "上一年度应纳个人所得税", Decimal("7200.00"), "7,200元")
INSURED = fact(
    "insured_employees",
    "单位参保人数",
    1,
    "1 人",
    department="hrss",
    department_name="温州市人力资源和社会保障局",
    dataset="social_insurance",
    recorded_on=date(2026, 9, 30),
)
UNKNOWN_LOAN = fact(
    "service_loan_yuan",
    "服务业经营主体贷款余额",
    None,
    "未知",
    department="pboc",
    department_name="中国人民银行温州市分行",
    dataset="loans",
    recorded_on=None,
    covered_until=date(2026, 7, 31),
    delivery_id=None,
    why_unknown="中国人民银行温州市分行的《贷款》数据只到2026年7月31日，10月的还没有送到。",
)
OFFICIAL = ParameterUsed(
    "income_cap_yuan", "应纳税所得额上限", 2000000, "2,000,000元", "公告2023年第12号第一条", True
)
OURS = ParameterUsed(
    "growing_sales_yuan",
    "有一定销售额：年销售额下限",
    300000,
    "300,000元",
    "本项目设定，非官方；借用增值税按季起征点30万元作全年下限",
    False,
)
SOURCE = LegalSource(
    "财政部 税务总局公告2023年第12号",
    "关于进一步支持小微企业和个体工商户发展有关税费政策的公告",
    "第一条",
    "",
    "M",
)


def clause(
    id: str, label: str, result: Truth, facts=(), parameters=(), expression="a"
) -> ClauseResult:
    return ClauseResult(id, label, expression, result, "第一条", tuple(facts), tuple(parameters))


def decision(rule_id: str, title: str, outcome: str, clauses=(), **over) -> Decision:
    labels = {"yes": "符合", "no": "不符合", "unknown": "还不能判断"}
    given = {
        "rule_id": rule_id,
        "rule_version": "4f5a9c01d2e3",
        "title": title,
        "kind": "eligibility",
        "trader_code": CODE,
        "as_of": AS_OF,
        "snapshot_id": SNAPSHOT.snapshot_id,
        "applies": True,
        "not_applicable": "",
        "outcome": outcome,
        "outcome_label": labels.get(outcome, outcome),
        "reason": "",
        "amount_yuan": None,
        "amount_note": "",
        "benefit": "",
        "source": SOURCE,
        "clauses": tuple(clauses),
        "deciding": tuple(c.id for c in clauses),
        "missing": (),
    }
    return Decision(**{**given, **over})


TYPE = decision(
    "growth.trader_type",
    "个体工商户分型（生存型、成长型、发展型）",
    "growing",
    [
        clause("has_employees", "有少量雇员", Truth.YES, [INSURED]),
        clause("has_some_sales", "有一定销售额", Truth.YES, [TAX], [OURS]),
    ],
    kind="table",
    outcome_label="成长型",
    reason="稳定经营，有雇员或缴过税，有一定销售额。",
)
HALF = decision(
    "policies.income_tax_half",
    "个体工商户经营所得个人所得税减半征收",
    "yes",
    [clause("under_cap", "年应纳税所得额不超过上限", Truth.YES, [TAX], [OFFICIAL])],
    amount_yuan=Decimal("3600.00"),
    amount_note="减免税额，按上一年度经营所得",
    benefit="应纳税额减半，预缴时就可以享受",
    reason="年应纳税所得额没有超过上限。",
)
INSURANCE = decision("policies.insurance", "登记在册即享的综合保险", "yes", benefit="不用申请")
NEAR = decision(
    "policies.hire",
    "创业带动就业补助",
    "no",
    [
        clause(
            "hires",
            "雇用 3 人以上",
            Truth.NO,
            [INSURED],
            [ParameterUsed("needed", "人数下限", 3, "3 人", "浙人社发〔2024〕1号", True)],
            "insured_employees >= needed",
        )
    ],
    reason="参保人数不够。",
)
HIRE_CLAUSE = NEAR.clauses[0]
LOAN = decision(
    "policies.service_loan_interest_2025",
    "服务业经营主体贷款贴息",
    "unknown",
    [clause("has_loan", "有符合条件的贷款", Truth.UNKNOWN, [UNKNOWN_LOAN])],
    missing=(UNKNOWN_LOAN,),
    reason="缺少贷款数据。",
)
VETERAN = decision(
    "policies.veteran_startup",
    "自主就业退役士兵从事个体经营税费限额扣减",
    "no",
    [
        clause(
            "is_veteran",
            "经营者是自主就业退役士兵",
            Truth.NO,
            [fact("operator_is_veteran", "经营者是自主就业退役士兵", False, "否")],
        )
    ],
    reason="经营者不是自主就业退役士兵。",
)
ELSEWHERE = decision(
    "policies.shanxi_insurance",
    "山西省个体工商户保险",
    "no",
    applies=False,
    not_applicable="只在山西省有效。",
)
EXPLANATION = Explanation(
    CODE, AS_OF, SNAPSHOT.snapshot_id, TYPE, (VETERAN, INSURANCE, HALF, LOAN, NEAR, ELSEWHERE)
)


def advice(rule_id: str, outcome: str, remedies=(), **over) -> Advice:
    given = {
        "rule_id": rule_id,
        "rule_version": "4f5a9c01d2e3",
        "as_of": AS_OF,
        "outcome": outcome,
        "goal": "yes",
        "goal_label": "符合",
        "failing": tuple(r.clause_id for r in remedies),
        "cured_on": None,
        "at_latest": False,
        "remedies": tuple(remedies),
        "is_near": len(remedies) == 1 and remedies[0].kind in ("time", "change"),
        "is_possible": bool(remedies) and all(r.kind != "fixed" for r in remedies),
        "caveat": "",
    }
    return Advice(**{**given, **over})


def remedy(clause_id: str, label: str, kind: str, text: str, gap: str = "", **over) -> Remedy:
    given = {"fact": "", "now": "", "needed": "", "on": None, "who": ()}
    return Remedy(clause_id, label, kind, gap_text=gap, text=text, **{**given, **over})


HIRE_ADVICE = advice(
    "policies.hire",
    "no",
    [
        remedy(
            "hires",
            "雇用 3 人以上",
            "change",
            "再招 2 人并参保（现在 1 人，要至少 3 人）。",
            "还差 2 人",
            who=("您",),
        )
    ],
)
VETERAN_ADVICE = advice(
    "policies.veteran_startup",
    "no",
    [
        remedy(
            "is_veteran",
            "经营者是自主就业退役士兵",
            "fixed",
            "“经营者为自主就业退役士兵”由经营者的身份决定，不会随经营变化。",
        )
    ],
)
LOAN_ADVICE = advice(
    "policies.service_loan_interest_2025",
    "unknown",
    next_questions=(
        Question(
            "service_loan_yuan",
            "服务业经营主体贷款余额",
            "“服务业经营主体贷款余额”是多少元？",
            "money",
            "yuan",
            (),
            ("中国人民银行温州市分行",),
            ("policies.service_loan_interest_2025",),
        ),
    ),
)
TYPE_ADVICE = advice(
    "growth.trader_type", "growing", goal="developing", goal_label="发展型", remedies=()
)
ADVICE = {a.rule_id: a for a in (HIRE_ADVICE, VETERAN_ADVICE, LOAN_ADVICE, TYPE_ADVICE)}


def advice_on(rule_id: str) -> Advice:
    """The advice for a decision of this city; none needed where none is given."""
    return ADVICE.get(rule_id) or advice(rule_id, "yes")


DELIVERY = DeliverySummary(
    delivery_id="tax_years-2025-01",
    dataset="tax_years",
    dataset_title="年度税收",
    department="tax",
    department_name="国家税务总局温州市税务局",
    period="2025",
    issued_at=datetime(2026, 7, 6, 1, 0, tzinfo=UTC),
    received_at=datetime(2026, 11, 3, 6, 0, tzinfo=UTC),
    covers_until=date(2025, 12, 31),
    divisions=("330300",),
    rows_in=98_765,
    accepted=98_500,
    quarantined=205,
    duplicate=60,
    status="published",
    problem="",
)
HELD = replace(
    DELIVERY,
    delivery_id="loans-2026-10",
    dataset="loans",
    dataset_title="贷款",
    department_name="中国人民银行温州市分行",
    rows_in=0,
    accepted=0,
    quarantined=0,
    duplicate=0,
    status="held",
    problem="同一编号送来了不同的内容。处理办法：请人行换一个编号重送。",
)
COUNT = QuarantineCount(
    "tax_years-2025-01", "年度税收", "国家税务总局温州市税务局", "bad_number", "金额不是数字", 205
)
ROWS = [
    QuarantinedRow(
        "tax_years-2025-01",
        "tax_years.csv",
        line,
        "销售额",
        "bad_number",
        "“销售额”不是数字",
        "写成 1234.56 这样，单位是元。",
        "=1+1",
    )
    for line in range(2, 207)
]
CONTRACT = DatasetContract(
    "tax_years",
    "年度税收",
    "tax",
    "period",
    "yearly",
    60,
    ("trader_code",),
    "year",
    "税收征收管理法",
    "没有申报记录",
    (Column("trader_code", "统一社会信用代码", "credit_code", True, PersonalClass.NONE),),
)
DECLARATION = FactDeclaration(
    "income_tax_yuan",
    "上一年度应纳个人所得税",
    FactType.MONEY,
    "yuan",
    "tax_year",
    "tax_years",
    "tax",
    "国家税务总局温州市税务局",
    "税务还没有送来上一年度的数据",
    PersonalClass.BUSINESS,
)
FEEDS = [
    FeedStatus(
        dataset="tax_years",
        dataset_title="年度税收",
        department="tax",
        department_name="国家税务总局温州市税务局",
        cadence="yearly",
        covered_until=date(2025, 12, 31),
        behind=(),
        due=date(2027, 3, 1),
        is_late=False,
        last_delivery="tax_years-2025-01",
    ),
    FeedStatus(
        dataset="loans",
        dataset_title="贷款",
        department="pboc",
        department_name="中国人民银行温州市分行",
        cadence="monthly",
        covered_until=date(2026, 7, 31),
        behind=("泰顺县",),
        due=date(2026, 9, 20),
        is_late=True,
        last_delivery="loans-2026-07",
    ),
]

# What get_rule answers, as far as the pages of a trader read it.
WHOLE_RULE = Given(rows=(), facts=())
