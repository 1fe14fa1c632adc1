"""The departments of a synthetic Wenzhou: signed deliveries that go in through the real door.

Stands where the departments stand; knows their contracts and nothing of our tables. Calibrated on
published figures (``data/calibration.yaml``; docs/explanation/demo-city.md). Never a real person,
never a real trader.
"""

from getihu.gateways.demo_city.calibration import AS_OF
from getihu.gateways.demo_city.city import CitySummary, make_city

__all__ = ["AS_OF", "CitySummary", "make_city"]
