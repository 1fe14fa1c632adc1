"""People of the cases, their shop in the register, and a page of each of them."""

import re
import uuid
from types import SimpleNamespace

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from getihu.registry import selectors as registry
from tests.cases import cast as people
from tests.cases.cast import LUCHENG, SHOP, TOWN
from tests.signed_in import sign_in

CATERING = "entry.catering_opening"
FORM = {"use_area_m2": "80", "seats": "20", "has_signboard": "no", "opens_on": ""}


@pytest.fixture
def register(monkeypatch):
    """The register knows one shop, in a town of 鹿城."""
    shop = SimpleNamespace(name="鹿城区阿华面馆", town_code=TOWN, county_code=LUCHENG)
    monkeypatch.setattr(registry, "get_trader", lambda code, as_of=None: shop)


@pytest.fixture
def cast(db, register):
    return people.make_cast()


@pytest.fixture
def signed_in():
    """A browser of an actor."""

    def enter(actor) -> Client:
        client = Client()
        sign_in(client, get_user_model().objects.get(pk=actor.account_id))
        return client

    return enter


@pytest.fixture
def desk(cast, signed_in):
    """A browser for each of the people: ``desk.owner``, ``desk.window`` …"""
    return SimpleNamespace(**{name: signed_in(actor) for name, actor in vars(cast).items()})


def key() -> str:
    return str(uuid.uuid4())


def words(response) -> str:
    """The words of a page without its tags and without blanks."""
    return re.sub(r"\s+", "", re.sub(r"<[^>]+>", "", response.content.decode()))


def begin(client: Client, matter: str = CATERING) -> str:
    """Open a draft through the pages; the address of the draft."""
    sent = client.post(f"/mine/matters/{matter}/", {"trader": SHOP, "once": key()})
    assert sent.status_code == 302, words(sent)
    return sent.url


def hand_in(client: Client, draft: str) -> str:
    """Fill in and hand in; the address of the case."""
    sent = client.post(draft, {**FORM, "do": "submit", "once": key()})
    assert sent.status_code == 302, words(sent)
    return sent.url


def act(client: Client, case: str, do: str, **given):
    """One action of an officer on a case, named by any address of it."""
    number = case.strip("/").split("/")[2]
    return client.post(f"/desk/cases/{number}/act/", {"do": do, "once": key(), **given})
