"""Ratings (好差评): five grades, one per case, unlinkable to the rater for the rated office; the
two lowest open a rectification with clocks. Will own surveys.
"""
