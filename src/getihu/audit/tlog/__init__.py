"""The published formats of a transparency log, in pure Python: RFC 6962 hashes and proofs, C2SP
tiles, signed notes, checkpoints and proof files. Knows no database and no framework.
"""
