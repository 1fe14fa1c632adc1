"""What is data here: pools, windows for applying, standards against flapping; as their files say."""
