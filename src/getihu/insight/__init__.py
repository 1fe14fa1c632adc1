"""Measure 14: indicators with their definitions, the plan's targets, survival and activity; every
figure can be made again by its digest. Never ranks counties by number of traders or annual-report
rate (促进个体工商户发展条例 第三十二条).
"""
