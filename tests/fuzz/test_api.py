"""W5: whatever is sent to the API gets a documented answer.

Requests are drawn from the project's own OpenAPI document, on a small real city: what fits, what
nearly fits, and what does not. No answer is a fault of ours, each fits the schema it is documented
with, none shows how the program is made or a person, and every operation is reached.
"""

import json
import os
from collections import Counter
from datetime import UTC, datetime
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from openapi_schema_validator import OAS31Validator

from getihu.accounts import services as accounts
from getihu.accounts.contracts import Duty, Role
from getihu.accounts.models import Account
from getihu.config import api as doors
from getihu.dataplane import selectors as dataplane
from getihu.registry import selectors as registry
from getihu.rulebook import selectors as rulebook
from tests.fuzz.values import JSON, WORDS, fitting
from tests.real_city import made_city, real_city
from tests.signed_in import sign_in

__all__ = ["made_city", "real_city"]
pytestmark = pytest.mark.django_db
QUICK = int(os.environ.get("FUZZ", "400"))
FULL = int(os.environ.get("FUZZ", "100000"))
INSIDES = (
    "Traceback",
    'File "',
    "/src/",
    "site-packages",
    "SELECT ",
    "sqlite",
    "psycopg",
    "DoesNotExist",
)
TYPE = "growth.trader_type"
ROLES = (Role.WINDOW_OFFICER, Role.POLICY_WRITER, Role.DATA_OFFICER)


@pytest.fixture
def officer(client, real_city):
    """Somebody of the city who may call every operation."""
    at = datetime(2026, 11, 6, tzinfo=UTC)
    key = accounts.open_account(login="fuzz", name="示例", duty=Duty.BUSINESS, at=at)
    for role in ROLES:
        accounts.assign(key, role, agency="amr", division="330300", reason="到岗", at=at, by=None)
    sign_in(client, Account.objects.get(pk=key))
    client.raise_request_exception = False
    return client


class Caller:
    """Draws calls, makes them and looks at the answers."""

    def __init__(self, client, city) -> None:
        self.client = client
        self.document = client.get("/api/openapi.json").json()
        code = next(iter(city.personas.values()))
        rules = sorted(rule.id for rule in rulebook.list_rules())
        self.names = {registry.get_trader(each).name for each in city.personas.values()}
        self.known = {
            "trader_code": sorted(city.personas.values()),
            # Most often the one the known change belongs to.
            "rule_id": [TYPE] * 6 + [r for r in rules if r.startswith("policies.")][:6],
            "changes": [[{"kind": "parameter", "name": "growing_sales_yuan", "value": "200000"}]],
            "valid_from": ["2027-01-01"],
            "as_of": [dataplane.get_published_snapshot().data_until.isoformat()],
            "on": ["2026-10-31"],
            "number": [1, 2],
            "county": ["330302", "330382", ""],
            "outcome": [""],
            "text": ["面馆", code],
        }
        self.operations = [
            (path, method, operation)
            for path, methods in self.document["paths"].items()
            for method, operation in methods.items()
        ]
        self.well: Counter[str] = Counter()
        self.made = 0

    @st.composite
    @staticmethod
    def calls(draw, self):
        path, method, operation = draw(st.sampled_from(self.operations))
        is_wild = draw(st.booleans())
        address, query = path, []
        for parameter in operation.get("parameters", ()):
            name, schema = parameter["name"], parameter["schema"]
            fits = fitting(schema, self.document, self.known, name)
            value = draw(st.one_of(fits, WORDS) if is_wild else fits)
            text = "" if value is None else str(value)
            if parameter["in"] == "path":
                address = address.replace("{" + name + "}", quote(text, safe="") or "%20")
            elif draw(st.booleans()):
                query.append((name, text))
        if is_wild and draw(st.booleans()):
            query.append((draw(WORDS), draw(WORDS)))
        body = None
        if "requestBody" in operation:
            schema = operation["requestBody"]["content"]["application/json"]["schema"]
            fits = fitting(schema, self.document, self.known).map(json.dumps)
            wild = st.one_of(JSON.map(json.dumps), WORDS, fits.map(lambda text: text[:-1]))
            body = draw(st.one_of(fits, wild) if is_wild else fits)
        kind = draw(st.sampled_from(["application/json"] * 5 + ["text/plain", ""]))
        return operation, method, address, query, body, kind if is_wild else "application/json"

    def check(self, call) -> None:
        operation, method, address, query, body, kind = call
        address += f"?{urlencode(query)}" if query else ""
        answer = self.client.generic(
            method.upper(), address, body or "", content_type=kind or "application/json"
        )
        self.made += 1
        shown = answer.content.decode()
        where = (
            f"{method} {address[:200]} {(body or '')[:300]!r}: {answer.status_code} {shown[:300]}"
        )
        assert answer.status_code < 500 or self.is_told(answer), where
        assert not any(word in shown for word in INSIDES), where
        if answer.status_code < 300:
            self.well[operation["operationId"]] += 1
        else:
            assert not any(name in shown for name in self.names), where
        if answer.status_code in (301, 302, 404) and "json" not in answer.headers["Content-Type"]:
            return  # an empty part of an address leads elsewhere
        self.check_schema(operation, answer, where)

    def is_told(self, answer) -> bool:
        """A day nobody has decided yet is no fault: it says so, and what to run."""
        return answer.status_code == 503 and "还没有" in answer.json()["what"]

    def check_schema(self, operation, answer, where) -> None:
        said = (
            operation["responses"].get(str(answer.status_code)) or operation["responses"]["default"]
        )
        schema = said["content"]["application/json"]["schema"]
        whole = {**schema, "components": self.document["components"]}
        problems = list(OAS31Validator(whole).iter_errors(answer.json()))
        assert problems == [], f"{where}: {problems[0].message[:300] if problems else ''}"


def attack(caller: Caller, examples: int) -> None:
    run = settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink],
    )(given(Caller.calls(caller))(lambda call: caller.check(call)))
    run()


def never_reached(caller: Caller) -> set[str]:
    """Operations no request got anything of: fuzzing of refusals proves nothing."""
    wanted = {operation["operationId"] for _, _, operation in caller.operations}
    return {each for each in wanted if not caller.well[each] and not each.endswith(NEEDS_ITS_THING)}


# A drift report, a scenario and a published review of types have to be made first.
NEEDS_ITS_THING = ("api_drift_report", "get_scenario", "list_types")


def test_whatever_is_sent_gets_a_documented_answer(officer, real_city):
    caller = Caller(officer, real_city)
    attack(caller, QUICK)

    assert never_reached(caller) == set()


@pytest.mark.scale
def test_a_hundred_thousand_requests_get_documented_answers(officer, real_city):
    caller = Caller(officer, real_city)
    attack(caller, FULL)

    print(f"{caller.made} requests, {sum(caller.well.values())} answered well")
    assert never_reached(caller) == set()


def test_control_a_fault_of_ours_is_found(officer, real_city, monkeypatch):
    def broken(*_args, **_more):
        raise RuntimeError("psycopg")

    caller = Caller(officer, real_city)
    monkeypatch.setattr(dataplane, "list_snapshots", broken)
    with pytest.raises(AssertionError, match="500"):
        attack(caller, QUICK)


def test_control_an_answer_that_does_not_fit_is_found(officer, real_city, monkeypatch):
    caller = Caller(officer, real_city)
    monkeypatch.setattr(
        doors, "_answer",
        lambda request, status, what, why, way: doors.api.create_response(
            request, {"what": what}, status=status
        ),
    )  # fmt: skip
    with pytest.raises(AssertionError, match="required property"):
        attack(caller, QUICK)
