"""Measure 8, question answering: knowledge graph, drafting. Will never decide eligibility: that
answer comes from the rulebook.
"""
