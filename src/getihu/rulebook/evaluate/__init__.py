"""One trader, one rule: three-valued closures and exact numbers."""
