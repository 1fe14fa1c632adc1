"""Rules and decisions over HTTP. The bytes of a decision are its canonical JSON."""

from datetime import UTC, date, datetime

from django.http import HttpRequest, HttpResponse
from ninja import Router
from ninja.errors import HttpError

from getihu.access import selectors as access
from getihu.kernel.codes import normalise_credit_code
from getihu.rulebook import selectors, services
from getihu.rulebook.contracts import Explanation, RuleChange
from getihu.rulebook.schemas import (
    AdviceOut,
    ChangeIn,
    ComparisonOut,
    CurveOut,
    DecisionOut,
    DraftIn,
    DraftOut,
    DriftReportOut,
    ExplanationOut,
    NumbersOut,
    QuestionOut,
    RuleOut,
    RuleSummaryOut,
    ScenarioIn,
    ScenarioOut,
    SettledOut,
    VersionOut,
    WhatIfIn,
    rule_out,
)

router = Router(tags=["rulebook"])


@router.get("/rules", response=list[RuleSummaryOut], summary="规则：可按文字、地区、类别、日期筛选")
def list_rules(
    request: HttpRequest,
    text: str = "",
    region: str = "",
    kind: str = "",
    on: date | None = None,
) -> object:
    return selectors.find_rules(selectors.RuleFilter(text, region, kind, on))


@router.get("/rules/{rule_id}", response=RuleOut, summary="一条规则：条件、参数、来源")
def get_rule(request: HttpRequest, rule_id: str, as_of: date | None = None) -> object:
    rule = selectors.get_rule(rule_id, as_of)
    return rule_out(rule, selectors.frame_of(rule), selectors.review_flags(rule))


@router.get(
    "/traders/{trader_code}/explanation", response=ExplanationOut, summary="类型和全部政策，附原因"
)
def explain_trader(request: HttpRequest, trader_code: str, as_of: date | None = None) -> object:
    code = normalise_credit_code(trader_code)
    return _canonical(_explained(request, code, as_of))


@router.get(
    "/traders/{trader_code}/settlement",
    response=list[SettledOut],
    summary="能领的几项放在一起，各付多少：就高不重复、晋级补差、全年上限",
)
def settle_trader(request: HttpRequest, trader_code: str, as_of: date | None = None) -> object:
    code = normalise_credit_code(trader_code)
    return _canonical(selectors.settle(_explained(request, code, as_of)))


@router.get(
    "/traders/{trader_code}/decisions/{rule_id}",
    response=DecisionOut,
    summary="一条规则的判定，附原因",
)
def explain_rule(
    request: HttpRequest, trader_code: str, rule_id: str, as_of: date | None = None
) -> object:
    code = normalise_credit_code(trader_code)
    decision = selectors.explain_rule(code, rule_id, as_of=as_of)
    return _canonical(selectors.mask_decision(decision, _hidden(request, code)))


@router.get(
    "/rules/{rule_id}/numbers",
    response=NumbersOut,
    summary="一条规则在全市：谁符合、在哪里、缺谁的数据、差一步",
)
def rule_numbers(request: HttpRequest, rule_id: str, as_of: date | None = None) -> object:
    return _canonical(selectors.get_rule_numbers(rule_id, as_of))


@router.get(
    "/rules/{rule_id}/curves",
    response=list[CurveOut],
    summary="每个参数在各个取值下的户数和金额",
)
def rule_curves(
    request: HttpRequest, rule_id: str, outcome: str = "", as_of: date | None = None
) -> object:
    return _canonical(selectors.list_curves(rule_id, outcome=outcome, as_of=as_of))


@router.post(
    "/rules/{rule_id}/what-if", response=ComparisonOut, summary="在副本上改参数或条件，比较前后"
)
def what_if(request: HttpRequest, rule_id: str, asked: WhatIfIn) -> object:
    made = selectors.compare_changes(
        rule_id, _changes(asked.changes), outcome=asked.outcome, as_of=asked.as_of
    )
    return _canonical(made)


@router.post("/rules/{rule_id}/draft", response=DraftOut, summary="把改动写成草案版本")
def draft(request: HttpRequest, rule_id: str, asked: DraftIn) -> object:
    return _canonical(selectors.draft_rule(rule_id, _changes(asked.changes), asked.valid_from))


@router.get("/rules/{rule_id}/versions", response=list[VersionOut], summary="各个版本和差别")
def rule_versions(request: HttpRequest, rule_id: str) -> object:
    return _canonical(selectors.list_rule_versions(rule_id))


@router.get("/rules/{rule_id}/drift-reports", response=list[DriftReportOut], summary="漂移报告")
def drift_reports(request: HttpRequest, rule_id: str) -> object:
    return _canonical(selectors.list_drift_reports(selectors.get_rule(rule_id).id))


@router.get("/drift-reports/{key}", response=DriftReportOut, summary="一份漂移报告")
def drift_report(request: HttpRequest, key: str) -> object:
    return _canonical(selectors.get_drift_report(key))


@router.get("/scenarios", response=list[ScenarioOut], summary="留存的方案")
def list_scenarios(request: HttpRequest, rule_id: str = "") -> object:
    return _canonical(selectors.list_scenarios(rule_id))


@router.get("/scenarios/{number}", response=ScenarioOut, summary="一个方案")
def get_scenario(request: HttpRequest, number: int) -> object:
    return _canonical(selectors.get_scenario(number))


@router.post("/rules/{rule_id}/scenarios", response=ScenarioOut, summary="留存一个方案")
def keep_scenario(request: HttpRequest, rule_id: str, asked: ScenarioIn) -> object:
    if request.content_type != "application/json":  # what another site's form cannot send
        raise HttpError(415, "请求体要标明 application/json。")
    made = services.keep_scenario(
        rule_id, _changes(asked.changes), title=asked.title, at=datetime.now(UTC)
    )
    return _canonical(made)


def _changes(asked: list[ChangeIn]) -> list[RuleChange]:
    return [RuleChange(change.kind, change.name, change.value) for change in asked]


@router.get(
    "/traders/{trader_code}/advice/{rule_id}",
    response=AdviceOut,
    summary="为什么不行、什么时候行、怎样就行",
)
def advise(
    request: HttpRequest,
    trader_code: str,
    rule_id: str,
    as_of: date | None = None,
    goal: str = "",
) -> object:
    code = normalise_credit_code(trader_code)
    advice = selectors.advise(code, rule_id, as_of=as_of, goal=goal)
    if selectors.is_masked(rule_id, advice.as_of, _hidden(request, code)):
        raise HttpError(403, selectors.MASKED_BECAUSE)
    return _canonical(advice)


@router.get(
    "/traders/{trader_code}/questions",
    response=list[QuestionOut],
    summary="接下来问什么：一条规则（rule_id）或全部规则",
)
def ask_next(
    request: HttpRequest, trader_code: str, rule_id: str = "", as_of: date | None = None
) -> object:
    code = normalise_credit_code(trader_code)
    asked = selectors.ask_next(code, rule_id, as_of=as_of, hidden=_hidden(request, code))
    return _canonical(asked)


def _explained(request: HttpRequest, trader_code: str, as_of: date | None) -> Explanation:
    """As much of it as the one who asks may see."""
    found = selectors.explain_trader(trader_code, as_of=as_of)
    return selectors.mask_explanation(found, _hidden(request, trader_code))


def _hidden(request: HttpRequest, trader_code: str) -> frozenset[str]:
    return access.hidden_classes(request.actor, trader_code)  # type: ignore[attr-defined]


def _canonical(answer: object) -> HttpResponse:
    return HttpResponse(
        selectors.canonical_json(answer), content_type="application/json; charset=utf-8"
    )
