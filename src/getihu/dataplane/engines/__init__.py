"""The columnar engine: what opens it, and with which safe settings."""
