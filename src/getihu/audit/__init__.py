"""Append-only events with text ids and no foreign keys. Will own the transparency log and its
verifier.
"""
