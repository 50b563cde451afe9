"""What a process and all that it has started take: processor time, sampled twice a second, and memory, every 2 s.

PSS counts a page that n processes share as an n-th in each, so that its sum is what the machine has given; USS counts
pages of one process alone; RSS counts shared pages in each. Reads /proc, hence Linux only.
"""

from __future__ import annotations

import multiprocessing
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from multiprocessing.connection import Connection
from pathlib import Path

_KINDS = {"Pss:": "pss_mb", "Private_Clean:": "uss_mb", "Private_Dirty:": "uss_mb", "Rss:": "rss_mb"}


def tree(process: int) -> Iterator[int]:
    """The process and its descendants."""
    yield process
    for thread in Path(f"/proc/{process}/task").glob("*/children"):
        for child in map(int, _read(thread).split()):
            yield from tree(child)


def memory(processes: set[int]) -> Counter[str]:
    """Megabytes of the processes, now."""
    found: Counter[str] = Counter()
    for one in processes:
        for line in _read(Path(f"/proc/{one}/smaps_rollup")).splitlines():
            name, kilobytes, *_ = [*line.split(), "", ""]
            if name in _KINDS:
                found[_KINDS[name]] += int(kilobytes)
    return Counter({name: kilobytes // 1024 for name, kilobytes in found.items()})


def processor(process: int) -> float:
    """Seconds of processor time that the process has used; 0 where it has ended."""
    fields = _read(Path(f"/proc/{process}/stat")).rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK") if fields else 0.0


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:  # it has ended meanwhile
        return ""


@contextmanager
def footprint() -> Iterator[dict[str, float]]:
    """Filled, when the block ends, with peaks of memory and with the processor time, of this process and all below."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    watcher = context.Process(target=_watch, args=(os.getpid(), theirs), daemon=True)
    watcher.start()
    ours.recv()
    found: dict[str, float] = {}
    try:
        yield found
    finally:
        ours.send(None)
        found.update(ours.recv())
        watcher.join()


def _watch(process: int, told: Connection) -> None:
    before, used, most = processor(process), dict[int, float](), Counter[str]()
    told.send(None)
    for sample in count():
        if told.poll(0.5):
            break
        processes = set(tree(process)) - {os.getpid()}
        if sample % 4 == 0:  # the kernel goes through all pages, which takes what is measured a fiftieth of its time
            most |= memory(processes)
        used.update({one: seconds for one in processes if (seconds := processor(one))})
    used[process] = processor(process)
    told.send({**most, "processor_s": sum(used.values()) - before})
