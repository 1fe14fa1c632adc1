"""Measures 9-12: profiles, pools, 三型四类, 个转企. Owns the type rule files; will own pools and
conversion.
"""
