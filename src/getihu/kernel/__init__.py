"""Pure Python: codes and check digits, money, periods, working days, text, errors. Imports no
framework.
"""
