"""The audit log: events written with the change they tell of, sequenced into a transparency log
that anyone can check. Owns events, their commitments, the tiles, the checkpoints and the guards
of audited tables. Knows no other app's tables: references are plain text, never foreign keys.
"""
