"""The whole city in memory: coded fact columns, packed bit planes, every distinct clause once."""
