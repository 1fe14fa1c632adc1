"""Indicators as their YAML files say."""
