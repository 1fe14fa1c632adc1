import pytest

from tests.columns.conftest import made_city, real_city

__all__ = ["made_city", "real_city"]


@pytest.fixture(autouse=True)
def keys(tmp_path, settings):
    """Keys of the issuer and the wallets that are this test's alone."""
    settings.PASSPORT_KEY_DIR = tmp_path / "issuer"
    settings.WALLET_KEY_FILE = tmp_path / "wallets.key"
    settings.PUBLIC_URL = "https://licences.example"
    return tmp_path
