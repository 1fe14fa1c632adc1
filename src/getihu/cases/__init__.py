"""Matters, cases, statutory clocks, tasks. Will own the catalogue of matters and every running
case.
"""
