"""Measure 14: indicators, the plan's targets, reports. Will own indicator definitions and their
queries; never ranks counties by number of traders or annual-report rate (促进个体工商户发展条例 §32).
"""
