"""Rules and decisions over HTTP. The bytes of a decision are its canonical JSON."""

from datetime import date

from django.http import HttpRequest, HttpResponse
from ninja import Router

from getihu.kernel.codes import normalise_credit_code
from getihu.rulebook import selectors
from getihu.rulebook.schemas import DecisionOut, ExplanationOut, RuleOut, RuleSummaryOut, rule_out

router = Router(tags=["rulebook"])


@router.get("/rules", response=list[RuleSummaryOut], summary="全部规则")
def list_rules(request: HttpRequest) -> object:
    return selectors.list_rules()


@router.get("/rules/{rule_id}", response=RuleOut, summary="一条规则：条件、参数、来源")
def get_rule(request: HttpRequest, rule_id: str, as_of: date | None = None) -> object:
    return rule_out(selectors.get_rule(rule_id, as_of))


@router.get(
    "/traders/{trader_code}/explanation", response=ExplanationOut, summary="类型和全部政策，附原因"
)
def explain_trader(request: HttpRequest, trader_code: str, as_of: date | None = None) -> object:
    code = normalise_credit_code(trader_code)
    return _canonical(selectors.explain_trader(code, as_of=as_of))


@router.get(
    "/traders/{trader_code}/decisions/{rule_id}",
    response=DecisionOut,
    summary="一条规则的判定，附原因",
)
def explain_rule(
    request: HttpRequest, trader_code: str, rule_id: str, as_of: date | None = None
) -> object:
    code = normalise_credit_code(trader_code)
    return _canonical(selectors.explain_rule(code, rule_id, as_of=as_of))


def _canonical(answer: object) -> HttpResponse:
    return HttpResponse(
        selectors.canonical_json(answer), content_type="application/json; charset=utf-8"
    )
