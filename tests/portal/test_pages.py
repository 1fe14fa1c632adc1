"""Every page on the hand-built city: what is shown, what is refused, and in which words."""

import pytest

from tests.portal import fakes

PAGES = [
    "/",
    f"/traders/{fakes.CODE}/",
    f"/traders/{fakes.CODE}/decisions/policies.income_tax_half/",
    "/data/",
    "/data/deliveries/tax_years-2025-01/quarantine/",
    "/rules/",
    "/facts/",
]


@pytest.mark.parametrize("path", PAGES)
def test_every_page_answers(client, city, path):
    response = client.get(path)
    assert response.status_code == 200
    assert "Content-Security-Policy" in response.headers
