"""From rules to one DuckDB statement for the whole city."""
