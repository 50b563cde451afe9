"""Who is sending: a name for this program in the ledger's leases, and which of the others are gone.

Every sender holds a lock on a file of its name as long as it lives; the system lets go of it however the program ends.
"""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout


@contextmanager
def signed_on(folder: Path) -> Iterator[str]:
    """A name of its own for this sender, locked in `folder` until the block ends.

    Where it ends with an error the file stays, so that the next sender takes up what this one could not write down.
    """
    folder.mkdir(parents=True, exist_ok=True)
    owner = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
    lock = FileLock(folder / f"{owner}.lock")
    with lock:
        yield owner
        Path(lock.lock_file).unlink(missing_ok=True)


def gone(folder: Path, owners: Iterable[str]) -> frozenset[str]:
    """Those of `owners` that signed on in `folder` and live no more; of others nothing is known."""
    return frozenset(owner for owner in owners if _is_gone(folder / f"{owner}.lock"))


def _is_gone(file: Path) -> bool:
    if not file.exists():
        return False
    try:
        with FileLock(file, timeout=0):
            file.unlink(missing_ok=True)
    except Timeout:
        return False
    return True
