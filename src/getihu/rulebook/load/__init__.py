"""From YAML text to checked rules; every problem of a file is reported together."""
