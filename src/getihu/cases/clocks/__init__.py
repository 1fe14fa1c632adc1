"""Statutory clocks: terms of the law as data, and how far one has run."""
