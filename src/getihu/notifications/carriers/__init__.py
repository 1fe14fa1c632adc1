"""Carriers that reach outside: mail, short messages, signed webhooks."""
