"""Draws that depend on the seed alone.

Hypothesis also draws constants it finds in the source of whatever modules are loaded by then: good
for finding bugs, but the fixed run would change with the order of the tests.
"""

from typing import Any

from hypothesis import HealthCheck, Phase
from hypothesis.internal.conjecture.providers import AVAILABLE_PROVIDERS, HypothesisProvider


class Steady(HypothesisProvider):
    def _maybe_draw_constant(self, *args: Any, **settings: Any) -> None:
        return None


AVAILABLE_PROVIDERS["steady"] = Steady

CALM = {
    "backend": "steady",
    "database": None,
    "deadline": None,
    "suppress_health_check": list(HealthCheck),
    "phases": (Phase.explicit, Phase.generate),
}
"""Settings of a run that is the same every time; what fails is shrunk by ``shrink``."""
