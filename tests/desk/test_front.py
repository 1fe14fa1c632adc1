"""The first page: her shop for an owner, the search for an officer, the ways in for anybody."""

import re

import pytest

from getihu.cases import services
from getihu.portal.views import casework, front
from tests.cases.cast import AT, SHOP, TOWN, days
from tests.desk.conftest import CATERING, words

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def a_day_later(monkeypatch):
    for module in (casework, front):
        monkeypatch.setattr(module, "today", lambda: days(1).date())


@pytest.fixture
def drafts(cast):
    return [
        services.open_draft(CATERING, SHOP, place=TOWN, by=cast.owner, at=AT)
        for _ in range(front.TODO_SHOWN + 2)
    ]


def test_an_owner_sees_what_waits_for_her_before_anything_else(desk, drafts):
    page = desk.owner.get("/").content.decode()
    assert page.index('id="todo"') < page.index("部门的数据里还没有这家店")
    assert len(re.findall("草稿还没有提交", page)) == front.TODO_SHOWN
    assert "还有 2 件" in page


def test_without_anything_to_do_the_page_says_so(desk):
    assert "现在没有等您办的事" in words(desk.owner.get("/"))


def test_nobody_chooses_a_shop_that_is_not_hers(desk, cast, drafts):
    assert "草稿还没有提交" not in words(desk.stranger.get(f"/?shop={SHOP}"))


def test_all_that_is_hers_lies_one_tap_from_me(desk):
    page = desk.owner.get("/mine/me/").content.decode()
    for name in ("register", "code"):
        assert f"/mine/{name}/{SHOP}/" in page
    assert "/mine/notices/settings/" in page


def test_each_of_the_four_places_is_marked_once(desk):
    for path in ("/", "/policies/", "/mine/", "/mine/me/"):
        page = desk.owner.get(path).content.decode()
        bar = page.partition('<div class="tabbar">')[2].partition("</div>")[0]
        assert re.findall(r'href="([^"]+)" aria-current="page"', bar) == [path]
