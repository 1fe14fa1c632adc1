import pytest

from tests.dataplane.department import Department


@pytest.fixture
def department(data_dir, settings):
    """A department whose keys are installed here, with an empty inbox."""
    inbox = data_dir / "inbox"
    inbox.mkdir()
    return Department(inbox=inbox, keys=settings.DEPARTMENT_KEYS_DIR)
