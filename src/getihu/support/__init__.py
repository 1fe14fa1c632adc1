"""Measures 13 and 15-23: appeals, finance, premises, legal aid, quality and IP, training, online
trade, consumption, honours, party-building channel. Will own offers as matters, not code.
"""
