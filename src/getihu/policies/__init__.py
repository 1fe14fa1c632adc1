"""Measure 8: the policy life cycle. Owns the policy rule files; will own publication, review and
awards.
"""
