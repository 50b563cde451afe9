"""Memory of a process and all that it has started, sampled twice a second: peaks of PSS, USS and RSS.

    python benchmarks/memory.py PID SECONDS

PSS counts a page that n processes share as an n-th in each, so that its sum is what the machine has given; USS counts
pages of one process alone; RSS counts shared pages in each. Reads /proc, hence Linux only.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

_KINDS = {"Pss:": "pss_mb", "Private_Clean:": "uss_mb", "Private_Dirty:": "uss_mb", "Rss:": "rss_mb"}


def tree(process: int) -> Iterator[int]:
    """The process and its descendants."""
    yield process
    for thread in Path(f"/proc/{process}/task").glob("*/children"):
        for child in map(int, _read(thread).split()):
            yield from tree(child)


def memory(process: int, without: int = 0) -> Counter[str]:
    """Megabytes of the process and its descendants, now."""
    found: Counter[str] = Counter()
    for one in set(tree(process)) - {without}:
        for line in _read(Path(f"/proc/{one}/smaps_rollup")).splitlines():
            name, kilobytes, *_ = [*line.split(), "", ""]
            if name in _KINDS:
                found[_KINDS[name]] += int(kilobytes)
    return Counter({name: kilobytes // 1024 for name, kilobytes in found.items()})


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:  # it has ended meanwhile
        return ""


@contextmanager
def peak() -> Iterator[Counter[str]]:
    """Filled, when the block ends, with the highest sums of this process and its descendants."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    watcher = context.Process(target=_watch, args=(os.getpid(), theirs), daemon=True)
    watcher.start()
    found: Counter[str] = Counter()
    try:
        yield found
    finally:
        ours.send(None)
        found.update(ours.recv())
        watcher.join()


def _watch(process: int, told: Connection) -> None:
    most: Counter[str] = Counter()
    while not told.poll(0.5):
        most |= memory(process, without=os.getpid())
    told.send(most)


def main() -> None:
    process, seconds = int(sys.argv[1]), float(sys.argv[2])
    most, end = Counter[str](), time.monotonic() + seconds
    while time.monotonic() < end:
        most |= memory(process)
        time.sleep(0.5)
    print(json.dumps(most))


if __name__ == "__main__":
    main()
