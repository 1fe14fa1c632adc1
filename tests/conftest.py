"""What every test folder shares: the reference folder, and a data folder of one's own."""

from pathlib import Path

import pytest
from django.conf import settings


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """The reference folder beside the project; tests on its data skip where it is absent."""
    folder = Path(settings.SHARED_DIR)
    if not folder.is_dir():
        pytest.skip(f"reference data not found at {folder}: these tests read it in place")
    return folder


@pytest.fixture
def data_dir(tmp_path: Path, settings) -> Path:
    """An empty data folder for one test; the data plane writes nowhere else."""
    settings.DATA_DIR = tmp_path
    settings.DEPARTMENT_KEYS_DIR = tmp_path / "keys" / "departments"
    return tmp_path
