"""Where the starter configuration lies: inside the wheel, or beside the package in a checkout."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import as_file, files
from pathlib import Path

import newsletter


@contextmanager
def starter() -> Iterator[Path]:
    """The folder of the starter configuration, as long as the context lasts."""
    packaged = files("newsletter") / "starter"
    if packaged.is_dir():
        with as_file(packaged) as folder:
            yield folder
        return
    yield Path(newsletter.__file__).parent.parent / "config"
