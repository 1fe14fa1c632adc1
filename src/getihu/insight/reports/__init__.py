"""The quarterly report: its text as data, every number in it traceable."""
