"""Flows over several slices (open a shop, become a company). Will own only the order of steps, no
tables of a slice.
"""
