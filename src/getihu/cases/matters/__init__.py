"""The catalogue of matters: what can be asked for, by whom, with what, decided by whom and when."""
