"""The JSON API on the hand-built city: one valid document, errors that say what, why and next."""

import json

import pytest
from openapi_spec_validator import validate

from getihu.dataplane import selectors as dataplane
from getihu.registry import selectors as registry
from tests.portal import fakes
from tests.portal.test_pages import raiser


@pytest.fixture
def document(client) -> dict:
    return client.get("/api/openapi.json").json()


def test_the_document_is_valid_openapi_3_1(document):
    assert document["openapi"].startswith("3.1")
    validate(document)


def test_every_operation_says_what_it_does_in_chinese(document):
    operations = [o for path in document["paths"].values() for o in path.values()]
    assert operations
    assert [o["summary"] for o in operations if o["summary"].isascii()] == []


def test_no_documentation_page_loads_foreign_scripts(client):
    assert client.get("/api/docs").status_code == 404


def test_a_trader_is_found_by_a_posted_name(client, city):
    response = client.post(
        "/api/traders/search", json.dumps({"text": "阿华"}), content_type="application/json"
    )
    assert [trader["trader_code"] for trader in response.json()] == [fakes.CODE]


def test_a_trader_s_identity(client, city):
    trader = client.get(f"/api/traders/{fakes.CODE}").json()
    assert (trader["name"], trader["town_name"]) == ("鹿城区阿华面馆", "五马街道")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/traders/123", 404),
        (f"/api/traders/{fakes.CODE}?as_of=tomorrow", 422),
        ("/api/nowhere", 404),
    ],
)
def test_a_refusal_says_what_why_and_next(client, city, path, status):
    response = client.get(path)
    assert response.status_code == status
    assert set(response.json()) == {"what", "why", "next"}
    assert all(response.json().values())


def test_a_body_that_is_no_json_is_refused_in_words(client, city):
    response = client.post("/api/traders/search", "{", content_type="application/json")
    assert response.status_code == 400
    assert response.json()["why"] == "请求体不是有效的 JSON。"


def test_before_the_first_delivery_the_api_says_which_command_to_run(client, city):
    city.patch(registry, get_trader=raiser(dataplane.NothingPublished()))
    response = client.get(f"/api/traders/{fakes.CODE}")
    assert response.status_code == 503
    assert "getihu ingest" in response.json()["next"]


def test_a_fault_of_ours_gives_a_number_and_no_detail(client, city):
    city.patch(registry, get_trader=raiser(RuntimeError("secret")))
    response = client.get(f"/api/traders/{fakes.CODE}")
    assert response.status_code == 500
    assert "secret" not in response.content.decode()


def test_chinese_stays_chinese_in_the_answers(client, city):
    assert "没有找到" in client.get("/api/nothing").content.decode()
