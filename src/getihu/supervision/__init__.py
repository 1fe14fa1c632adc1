"""Measures 24-26: risk class, random draws, triggers, credit repair, leniency, fair competition.
Will own plans, draws and their public proofs.
"""
