"""The rater's code: the only thing that leads from a person to her rating, and she alone has it."""

import hashlib
import secrets

# Crockford's alphabet: no letter that is taken for another. 16 letters are 80 bits.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH = 16
_ALIKE = str.maketrans("OIL", "011")


def fresh_code() -> str:
    """A new code, in four groups: K7QM-2F9D-XP3C-8WTN."""
    letters = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
    return "-".join(letters[i : i + 4] for i in range(0, LENGTH, 4))


def read_code(text: str) -> str | None:
    """The sixteen letters of a code however it was typed; None for anything else."""
    letters = "".join(c for c in text.upper() if c.isalnum()).translate(_ALIKE)
    is_code = len(letters) == LENGTH and set(letters) <= set(ALPHABET)
    return letters if is_code else None


def digest_of(letters: str) -> str:
    """What is kept of a code."""
    return hashlib.sha256(f"getihu.rating/v1\n{letters}".encode()).hexdigest()
