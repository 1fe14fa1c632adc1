"""The pages of a policy writer: one policy beside its numbers, lists, what-ifs, drift reports.

Reads only, like ``portal.selectors``; never asks the clock.
"""
