"""Processes that write and seal letters, so that every core works; for a few letters this process alone.

Each has the store open for itself and is given names and numbers, not letters: what is frozen, it reads. They are not
forked from this process: such a one would hold the locks that tell a living sender from a dead one. A server that has
loaded the libraries, and nothing else, forks them: they start in a tenth of a second instead of one, and share memory.
While it loads them, this process reads what all of them would else read, each for itself.
"""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import os
import pickle
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryFile
from typing import TypeVar

from newsletter.errors import DeliveryError, NewsletterError, StoreError
from newsletter.letter.summary import Analyses, analysed, remember
from newsletter.model import Edition, Letter, Message, Outcome, Subscriber
from newsletter.pipeline import writing
from newsletter.pipeline.letters import Gathered, write
from newsletter.pipeline.posting import Post, laid_out, open_post, sealed
from newsletter.pipeline.workspace import Workspace
from newsletter.settings import Settings, Subscribers
from newsletter.store import ledger, open_store
from newsletter.store import letters as frozen
from newsletter.store.freezing import Part

_Made = TypeVar("_Made")
_NO_LETTER = Outcome("refused", "render", text="the ledger holds no letter for this delivery")
_MANY = 500  # letters; a process takes a second to start, as long as it takes to write and seal so many
_SHARE = 1_000  # fewer readers are ranked here: what they share is worked out once for each share
_MOST = 5_000  # readers in one share, so that its letters fit into memory
_LIBRARIES = (
    __name__, "newsletter.embedding.static", "newsletter.mail.dkim", "newsletter.ranking", "babel.dates", "jinja2.ext",
    "mjml", "pylatexenc.latex2text", "pysbd", "safetensors.numpy", "scipy.sparse",
)  # fmt: skip
_SELDOM = 500_000  # objects; a share of letters has four times as many, none of them garbage before it is written


@dataclass(slots=True)
class Bench:
    """One process's tools: its workspace, and what it has looked up before."""

    workspace: Workspace
    post: Post
    parts: dict[str, Part] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Crew:
    """`hands` processes (0: a thread of this one) behind `executor`, and this process's own bench."""

    hands: int
    executor: Executor
    bench: Bench

    def freeze(
        self, edition: Edition, readers: Sequence[Subscriber], *, gathered: Gathered | None = None
    ) -> Iterable[ledger.Frozen]:
        """Each reader's letter, or why there is none, in their order, frozen for the ledger."""
        if not self.hands or len(readers) <= _SHARE:
            return [_written(self.bench.workspace, edition, readers, gathered)]
        share = min(_MOST, -(-len(readers) // self.hands))
        spool = Spool(self.bench.workspace.settings.data)
        summed_up = writing.written(self.bench.workspace, edition.papers)
        read = analysed(paper for paper in edition.papers if paper.id not in summed_up)
        with _reporting():
            shares = [readers[at : at + share] for at in range(0, len(readers), share)]
            jobs = deque(self.executor.submit(_freeze, edition, some, gathered, read) for some in shares)
            while jobs:
                spool.add(jobs.popleft().result())
        return spool

    async def seal(self, deliveries: Sequence[int], at: datetime) -> list[Message | Outcome]:
        """The message of each delivery's frozen letter; a letter that cannot be made into one fails alone."""
        loop = asyncio.get_running_loop()
        with _reporting():
            if self.hands:
                return await loop.run_in_executor(self.executor, _seal, deliveries, at)
            return await loop.run_in_executor(self.executor, seal, self.bench, deliveries, at)


class Spool:
    """Frozen letters in a file without a name, so that memory holds one share of them, not all. Read once."""

    def __init__(self, folder: Path) -> None:
        self._file = TemporaryFile(dir=folder)  # noqa: SIM115  closed with the spool, and gone then

    def add(self, pickled: bytes) -> None:
        """Takes what a process of the crew has frozen. Raises StoreError where there is no room."""
        try:
            self._file.write(pickled)
            self._file.flush()
        except OSError as error:
            do = "Free some space; nothing has been planned, so run the command again"
            raise StoreError("cannot plan the edition", why=error.strerror or str(error), do=do) from error

    def __iter__(self) -> Iterator[ledger.Frozen]:
        with self._file as file:
            end = file.tell()
            file.seek(0)
            while file.tell() < end:
                yield pickle.load(file)  # noqa: S301  nobody else can reach a file without a name


@contextmanager
def crew(workspace: Workspace, many: int) -> Iterator[Crew]:
    """A crew for about so many letters. Templates and keys are checked here, before any process of it starts."""
    hands = (os.cpu_count() or 1) if many >= _MANY else 0
    hands = hands if hands > 1 else 0
    executors = _processes(workspace, hands) if hands else ThreadPoolExecutor(1)
    bench = Bench(workspace, open_post(workspace))
    with executors as executor, _collecting_seldom(wanted=hands > 0):
        try:
            yield Crew(hands, executor, bench)
        finally:
            executor.shutdown(cancel_futures=True)


def seal(bench: Bench, deliveries: Sequence[int], at: datetime) -> list[Message | Outcome]:
    """What `Crew.seal` says, here and now. All are written, then all sealed: a twentieth faster than one by one."""
    found = frozen.letters_of(bench.workspace.engine, deliveries, known=bench.parts)
    letters = [found.get(delivery, _NO_LETTER) for delivery in deliveries]
    pages = [_or_why_not(laid_out, bench.post, letter, at) for letter in letters]
    return [
        page if isinstance(page, Outcome) else _or_why_not(sealed, bench.post, letter, page, at)
        for letter, page in zip(letters, pages, strict=True)
    ]


def _or_why_not(step: Callable[..., _Made], post: Post, letter: Letter | Outcome, *given: object) -> _Made | Outcome:
    if isinstance(letter, Outcome):
        return letter
    try:
        return step(post, letter, *given)
    except NewsletterError as error:
        return Outcome("refused", "render", text=str(error))


@contextmanager
def _reporting() -> Iterator[None]:
    try:
        yield
    except BrokenExecutor as error:
        why, do = "it was killed, or memory ran out", "Send again: what was not sent is still planned"
        raise DeliveryError("A process that writes letters has ended", why=why, do=do) from error


def _processes(workspace: Workspace, hands: int) -> ProcessPoolExecutor:
    there = "forkserver" in multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context("forkserver" if there else "spawn")
    if there:
        from multiprocessing import forkserver

        context.set_forkserver_preload(list(_LIBRARIES))
        forkserver.ensure_running()  # it loads them from now on; else it would begin with the first job
    return ProcessPoolExecutor(
        hands,
        mp_context=context,
        initializer=_sit_down,
        initargs=(workspace.config, workspace.settings, workspace.key),
    )


@contextmanager
def _collecting_seldom(*, wanted: bool) -> Iterator[None]:
    """While many letters are made, the collector does not look through them again and again."""
    before = gc.get_threshold()
    if wanted:
        _collect_seldom()
    try:
        yield
    finally:
        if wanted:
            gc.set_threshold(*before)
            gc.unfreeze()


def _collect_seldom() -> None:
    """What stands now is not looked through for garbage, and what comes only now and then: letters have no cycles."""
    gc.freeze()
    gc.set_threshold(_SELDOM, *gc.get_threshold()[1:])


_BENCH: list[Bench] = []  # a process of the crew has one


def _sit_down(config: Path, settings: Settings, key: bytes) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that leads, which finishes what it began
    threading.Thread(target=_leave_with_the_leader, daemon=True).start()
    workspace = Workspace(config, settings, open_store(settings.database_url()), key, Subscribers())
    _BENCH.append(Bench(workspace, open_post(workspace)))
    _collect_seldom()


def _leave_with_the_leader() -> None:
    """A leader that is killed cannot say goodbye, and its pool would wait for ever."""
    leader = multiprocessing.parent_process()
    if leader is not None:
        leader.join()
        os._exit(1)


def _written(
    workspace: Workspace, edition: Edition, readers: Sequence[Subscriber], gathered: Gathered | None
) -> ledger.Frozen:
    return ledger.freeze(write(workspace, edition, readers, gathered=gathered), key=workspace.key)


def _freeze(edition: Edition, readers: Sequence[Subscriber], gathered: Gathered | None, read: Analyses) -> bytes:
    (bench,) = _BENCH
    remember(read)
    frozen = _written(replace(bench.workspace, found=Subscribers(tuple(readers))), edition, readers, gathered)
    return pickle.dumps(frozen, pickle.HIGHEST_PROTOCOL)


def _seal(deliveries: Sequence[int], at: datetime) -> list[Message | Outcome]:
    (bench,) = _BENCH
    return seal(bench, deliveries, at)
