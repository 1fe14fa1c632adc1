from tests.dataplane.conftest import department

__all__ = ["department"]
