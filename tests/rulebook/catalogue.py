"""A fact catalogue of the tests' own: the names and types rules rely on, no data plane needed."""

from getihu.dataplane.contracts import FactDeclaration, FactType, PersonalClass

_STATUS = "active=存续,suspended=歇业,cancelled=注销,revoked=吊销,annulled=撤销"
_TEXT = f"""
registration registrations amr
  trade_name text; subject_kind enum individual=个体工商户,enterprise=企业
  established_on date; registration_status enum {_STATUS}; status_on date
  industry_code code; industry_section code; industry_division code
  county_code code; town_code code; premises_m2 decimal; converted_on date
  is_registered boolean; registered_months integer
changes registration_changes amr
  last_operator_change_on date; operator_changes integer; changes_24m integer
annual_report annual_reports amr
  reported_last_year boolean; report_exempt_new boolean; annual_turnover_yuan money
  annual_employees integer; has_online_shop boolean; report_filed_on date
penalties penalties amr
  fined_or_worse_12m integer; penalties_24m integer; fines_24m_yuan money; last_penalty_on date
abnormal_marks abnormal_marks amr
  is_marked_abnormal boolean; is_seriously_dishonest boolean; abnormal_since date
tax_year tax_years tax
  levy_method enum books=查账征收,assessed=核定征收; annual_sales_yuan money
  taxable_income_yuan money; income_tax_yuan money; other_relief_yuan money
  tax_paid_yuan money; paid_tax_last_year boolean; surcharges_yuan money; filing_normal boolean
vat vat_months tax
  vat_month date; vat_taxpayer_kind enum general=一般纳税人,small_scale=小规模纳税人
  vat_levy_rate decimal; month_sales_yuan money; is_general_taxpayer boolean
social_insurance social_insurance hrss
  insured_employees integer; insured_unit_last_year boolean; young_hires integer
  insured_months integer; fully_paid_3m boolean
certificates certificates hrss
  skill_certificates integer
operator_status operator_statuses veterans
  operator_is_veteran boolean; operator_is_transferred_cadre boolean
loans loans pboc
  has_bank_credit_last_year boolean; loan_overdue boolean; service_loan_yuan money
  service_loan_rate decimal; service_loan_granted_on date
honours honours amr
  honours_held integer
intellectual_property intellectual_property amr
  trademarks_held integer; patents_held integer; uses_geographical_indication boolean
heritage heritage culture
  heritage_items integer; is_heritage_inheritor boolean
statistics_unit statistics_units statistics
  above_quota_since date; is_above_quota boolean
"""
_DEPARTMENTS = {
    "amr": "温州市市场监督管理局",
    "tax": "国家税务总局温州市税务局",
    "hrss": "温州市人力资源和社会保障局",
    "veterans": "温州市退役军人事务局",
    "pboc": "中国人民银行温州市分行",
    "culture": "温州市文化广电旅游局",
    "statistics": "温州市统计局",
}
_UNITS = {"money": "yuan", "date": None}


def declaration(
    name: str, kind: str, values: str = "", group: str = "g", dataset: str = "d", dep: str = "amr"
) -> FactDeclaration:
    """One fact as a rule file sees it."""
    return FactDeclaration(
        name=name,
        label=f"事实{name}",
        type=FactType(kind),
        unit=_UNITS.get(kind),
        group=group,
        dataset=dataset,
        department=dep,
        department_name=_DEPARTMENTS[dep],
        null_means="没有数据",
        personal=PersonalClass.BUSINESS,
        values=dict(pair.split("=") for pair in values.split(",")) if values else {},
    )


def _read() -> dict[str, FactDeclaration]:
    catalogue = {}
    group = dataset = department = ""
    for line in _TEXT.strip().splitlines():
        if not line.startswith(" "):
            group, dataset, department = line.split()
            continue
        for item in line.split(";"):
            name, kind, *values = item.split()
            catalogue[name] = declaration(
                name, kind, values[0] if values else "", group, dataset, department
            )
    return catalogue


CATALOGUE = _read()
