"""The window: service guides, offices with their hours, limits as colours."""
