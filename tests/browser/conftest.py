"""A real Chromium, at a phone's and a desk's width, that forgives nothing."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Request, sync_playwright

from tests.portal.conftest import city  # noqa: F401  the hand-built city, shared with the pages

# Playwright's loop runs in this thread; Django must not take it for an asynchronous view.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

PHONE, DESK = 390, 1440
SCREENSHOTS = Path(__file__).resolve().parents[2] / "var" / "screenshots"


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        pytest.skip("no Chromium on this machine: apt-get install chromium fonts-noto-cjk")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=found,
            args=["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"],
        )
        yield browser
        browser.close()


@pytest.fixture
def visit(city, browse) -> Callable[..., Page]:  # noqa: F811
    """``browse`` on the hand-built city."""
    return browse


@pytest.fixture
def browse(chromium, live_server) -> Iterator[Callable[..., Page]]:
    """Open a path at a width; at the end nothing may have gone wrong in the console, on the
    wire or with the content policy."""
    troubles: list[str] = []
    contexts = []

    def open_page(path: str, width: int, *, scripts: bool = True, dark: bool = False) -> Page:
        context = chromium.new_context(
            viewport={"width": width, "height": 844 if width < 600 else 900},
            device_scale_factor=2 if width < 600 else 1,
            java_script_enabled=scripts,
            color_scheme="dark" if dark else "light",
            locale="zh-CN",
            timezone_id="Asia/Shanghai",
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda m: troubles.append(f"{m.type}: {m.text}"))
        page.on("pageerror", lambda e: troubles.append(f"script error: {e}"))
        page.on("requestfailed", lambda r: None if left(r) else troubles.append(failed(r)))
        page.on(
            "request",
            lambda r: None if r.url.startswith(live_server.url) else troubles.append(r.url),
        )
        page.goto(f"{live_server.url}{path}", wait_until="load")
        return page

    def left(request: Request) -> bool:
        """Broken off because the test went to the next page: nobody's fault."""
        return request.failure == "net::ERR_ABORTED"

    def failed(request: Request) -> str:
        return f"failed: {request.url} {request.failure}"

    yield open_page
    for context in contexts:
        context.close()
    assert troubles == []


@pytest.fixture
def shoot() -> Callable[[Page, str], None]:
    def take(page: Page, name: str) -> None:
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)

    return take


def axe_violations(page: Page) -> list[str]:
    """Broken accessibility rules, with the elements that break them."""
    found = Axe().run(page).response["violations"]
    return [
        f"{rule['id']}: {node['html'][:160]} {node.get('failureSummary', '')[:300]}"
        for rule in found
        for node in rule["nodes"]
    ]


def is_wider_than_screen(page: Page) -> bool:
    return page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
