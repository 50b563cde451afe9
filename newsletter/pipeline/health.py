"""Is all well? What a monitor asks every minute: counts, ages, and a sentence for each thing that is not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from newsletter.model import Delivery
from newsletter.pipeline.heartbeat import Heartbeat, read_heartbeat
from newsletter.pipeline.workspace import Workspace
from newsletter.store import archive, ledger
from newsletter.store.overview import Overview, overview

_RECENT = timedelta(days=2)
_SILENT = timedelta(minutes=15)  # a tick that sends ten thousand letters may take a while
_OVERDUE = timedelta(hours=1)
_PATIENCE = 5.0  # seconds for the pages to answer


@dataclass(frozen=True, slots=True)
class SourceHealth:
    """A source's newest digest: its day and whether it was fetched, empty, stale or failed; empty before the first."""

    source: str
    state: str
    day: str = ""
    papers: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Health:
    """`letters` are those of the last two days by state; `oldest_waiting` is in seconds past its time.

    `web` is where the service serves the web side, empty where it does not.
    """

    healthy: bool
    problems: tuple[str, ...]
    letters: dict[str, int]
    oldest_waiting: float
    sources: tuple[SourceHealth, ...]
    last_tick: datetime | None
    suppressed: int
    web: str = ""


def health(workspace: Workspace, *, at: datetime, ask: bool = True) -> Health:
    """The state of the service as its data show it. Raises StoreError where they cannot be read.

    With `ask`, the pages are asked whether they answer.
    """
    seen = overview(workspace.engine, at - _RECENT, at)
    beat = read_heartbeat(workspace.settings.data)
    sources = tuple(_source(workspace, spec.name, at) for spec in workspace.settings.sources)
    waited = max((at - seen.oldest).total_seconds(), 0.0) if seen.oldest else 0.0
    web = "" if beat.stopped else beat.web
    problems = (*_problems(seen, waited, beat, sources, at), *(_silent(web) if ask and web else ()))
    return Health(not problems, problems, seen.letters, waited, sources, beat.ticked, seen.suppressed, web)


def _problems(
    seen: Overview, waited: float, beat: Heartbeat, sources: tuple[SourceHealth, ...], at: datetime
) -> Iterator[str]:
    if beat.ticked and not beat.stopped and at - beat.ticked > _SILENT:
        yield f"The service has not ticked since {beat.ticked:%Y-%m-%d %H:%M} UTC: is it running? newsletter run"
    if waited > _OVERDUE.total_seconds():
        yield f"A letter waits {_spoken(waited)} past its time: newsletter send says why"
    if seen.letters["uncertain"]:
        some = "1 letter is" if seen.letters["uncertain"] == 1 else f"{seen.letters['uncertain']} letters are"
        yield f"{some} uncertain: decide with newsletter resend --state uncertain, or leave them"
    for one in sources:
        if one.state in ("failed", "stale"):
            yield f"The source {one.source} is {one.state} on {one.day}: {one.reason}"


def _silent(web: str) -> Iterator[str]:
    """The pages must answer, each on its own address."""
    from urllib.error import URLError
    from urllib.request import ProxyHandler, build_opener

    try:
        build_opener(ProxyHandler({})).open(f"{web}/health/live", timeout=_PATIENCE).close()
    except URLError as error:
        yield f"The web side at {web} does not answer ({error.reason}): newsletter --verbose run says why"
    except OSError as error:
        yield f"The web side at {web} does not answer ({error}): newsletter --verbose run says why"


def _source(workspace: Workspace, name: str, at: datetime) -> SourceHealth:
    states = archive.source_states(workspace.engine, source=name, since=(at - timedelta(days=14)).date())
    if not states:
        return SourceHealth(name, "")
    last = max(states, key=lambda state: state.day)
    return SourceHealth(name, last.state, last.day.isoformat(), last.papers, last.reason)


def _spoken(seconds: float) -> str:
    minutes = int(seconds) // 60
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"


def conversations(workspace: Workspace, rows: Iterable[Delivery]) -> dict[int, tuple[ledger.Attempt, ...]]:
    """What happened to each delivery, oldest first: every try with phase, codes and the server's words."""
    return ledger.history(workspace.engine, [row.id for row in rows])


def metrics(found: Health) -> str:
    """The same as Prometheus' text format (https://prometheus.io/docs/instrumenting/exposition_formats)."""
    from prometheus_client import CollectorRegistry, Gauge, generate_latest

    registry = CollectorRegistry()

    def gauge(name: str, text: str, *labels: str) -> Gauge:
        return Gauge(f"newsletter_{name}", text, labels, registry=registry)

    gauge("healthy", "1 where nothing needs a person").set(found.healthy)
    letters = gauge("letters", "Letters planned in the last two days, by state", "state")
    for state, count in found.letters.items():
        letters.labels(state).set(count)
    gauge("oldest_waiting_seconds", "How long past its time the oldest waiting letter is").set(found.oldest_waiting)
    gauge("suppressed_addresses", "Addresses that get no letter").set(found.suppressed)
    if found.last_tick:
        gauge("last_tick_timestamp_seconds", "When the service last ticked").set(found.last_tick.timestamp())
    source = gauge("source", "The state of each source's newest digest", "source", "state")
    papers = gauge("source_papers", "Papers in each source's newest digest", "source")
    for one in found.sources:
        for state in ("fetched", "empty", "stale", "failed"):
            source.labels(one.source, state).set(one.state == state)
        papers.labels(one.source).set(one.papers)
    return generate_latest(registry).decode("utf-8")
