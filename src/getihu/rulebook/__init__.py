"""Rules as data: YAML to typed clauses, SQL for the sweep, an evaluator for one trader,
explanations.
"""
