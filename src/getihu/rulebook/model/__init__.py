"""What a rule is: frozen, typed nodes. Knows no framework, no files and no engine."""
