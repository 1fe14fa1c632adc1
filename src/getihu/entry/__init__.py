"""Measures 1-3 and 5: fair access, registration and 一类事, power and utilities, window service. Will
own the negative list, the permit catalogue and the entry matters.
"""
