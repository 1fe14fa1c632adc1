"""The fields of supervision, as their YAML files say."""
