"""Whether something failed for want of room, or because the database is out of reach: a passing
state of the machine, not a mistake of ours, and told as such."""

import errno
from collections.abc import Iterator

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
# SQLite says CANTOPEN when there is no room for a journal, and IOERR when a write came back short.
_SQLITE = ("SQLITE_FULL", "SQLITE_IOERR", "SQLITE_CANTOPEN", "SQLITE_BUSY", "SQLITE_READONLY")
# PostgreSQL, by its codes: no room, too many connections, going down, coming up, read only.
_POSTGRESQL = {"53100", "53200", "53300", "57P01", "57P02", "57P03", "25006"}


def is_passing(error: BaseException | None) -> bool:
    """Whether ``error``, or what it came from, is over as soon as there is room or a database."""
    return any(_is_passing(each) for each in _chain(error))


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _is_passing(error: BaseException) -> bool:
    if isinstance(error, OSError):
        return error.errno in _FULL
    if str(getattr(error, "sqlite_errorname", "")).startswith(_SQLITE):
        return True
    if not hasattr(error, "sqlstate"):
        return False
    code = error.sqlstate
    if code is None:  # no answer of a server at all
        return type(error).__name__ == "OperationalError"
    return str(code) in _POSTGRESQL or str(code).startswith("08")
