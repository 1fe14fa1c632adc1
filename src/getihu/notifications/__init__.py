"""Messages with an idempotency key, checked against the current state when sent. Will own
channels, consent and quiet hours.
"""
