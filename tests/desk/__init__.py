"""Pages of cases: the trader's own and the office's desk."""
