"""Becoming a company: both sides worked out, what happens to every right. Pure; recommends nothing."""

from getihu.growth.conversion.both_sides import Asked, both_sides
from getihu.growth.conversion.forced import forced_by_law

__all__ = ["Asked", "both_sides", "forced_by_law"]
