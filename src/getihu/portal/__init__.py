"""The face: home, search, trader page, data page. Composes what the packages below offer; owns no
table.
"""
