"""The service's clock: every half minute, fetch what is due, plan who is due, deliver what waits.

What a tick does is decided by the archive, the pure `due` and the ledger; nothing is remembered here that a restart
could lose. A tick that comes late, twice or after a night's sleep of the machine finds the same answers.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import structlog

from newsletter import pipeline
from newsletter.due import Due, FetchTime, due
from newsletter.errors import NewsletterError
from newsletter.model import Edition, Skip, Subscriber
from newsletter.pipeline import Workspace
from newsletter.pipeline.heartbeat import read_heartbeat, write_heartbeat
from newsletter.store import archive, ledger, requests

log = structlog.get_logger()
TICK = timedelta(seconds=30)
_NEEDS_A_PERSON = ("small", "stale", "failed")
_RETRY = timedelta(minutes=15)  # between tries of a source that failed, was empty or stale
_LIKES = ""  # in place of a source's name, which is never empty
_FORGET = timedelta(hours=1)  # between looks for requests to subscribe that have expired
_LOOK_BACK = 2  # days whose letters may still be on their way


@dataclass(slots=True)
class Service:
    """What lives between ticks only to save work: the open workspace, and when each source was last tried.

    `forgot` is when expired requests to subscribe were last removed;
    `web` is where the same process serves the web side, empty where it does not."""

    workspace: Workspace
    environ: Mapping[str, str]
    web: str = ""
    tried: dict[tuple[str, date], datetime] = field(default_factory=dict)
    logged: set[str] = field(default_factory=set)
    forgot: datetime | None = None


def serve(service: Service, *, clock: Callable[[], datetime], stop: threading.Event) -> None:
    """Tick until `stop` is set; what is in flight then is finished, what is not stays planned."""
    from apscheduler.schedulers.background import BackgroundScheduler

    scheduler = BackgroundScheduler(timezone=UTC)
    scheduler.add_job(
        lambda: _survive(service, clock, stop), "interval", seconds=TICK.total_seconds(),
        next_run_time=datetime.now(UTC), coalesce=True, max_instances=1, misfire_grace_time=None,
    )  # fmt: skip
    scheduler.start()
    try:
        stop.wait()
    finally:
        scheduler.shutdown(wait=True)
        data = service.workspace.settings.data
        write_heartbeat(data, replace(read_heartbeat(data), stopped=True))


def _survive(service: Service, clock: Callable[[], datetime], stop: threading.Event) -> None:
    """A tick that fails is logged and tried again: the service outlives a full disk and a database that is away."""
    try:
        tick(service, clock=clock, stop=stop.is_set)
    except NewsletterError as error:
        log.error("tick failed", why=str(error))  # noqa: TRY400  the message says it all
    except Exception:
        log.exception("tick failed for a reason that should not exist; please report it")


def tick(service: Service, *, clock: Callable[[], datetime], stop: Callable[[], bool] = lambda: False) -> None:
    """Reload, forget, fetch, plan, deliver: whatever is due at this moment."""
    service.workspace = pipeline.reloaded(service.workspace, service.environ)
    data = service.workspace.settings.data
    write_heartbeat(data, replace(read_heartbeat(data), ticked=clock().astimezone(UTC), stopped=False, web=service.web))
    _forget_requests(service, clock())
    fetch_due(service, clock())
    for edition, wanted in due_letters(service.workspace, clock()).items():
        _plan(service.workspace, edition, wanted, clock())
    for back in range(_LOOK_BACK + 1):
        edition_id = pipeline.edition_id(clock().astimezone(UTC).date() - timedelta(days=back - 1))
        waits = ledger.next_due(service.workspace.engine, edition_id, clock())
        if waits is not None and waits <= clock() and not stop():
            report = pipeline.deliver(
                service.workspace, edition_id, clock=clock, stop=stop, progress=_beating(data, clock)
            )
            for waiting in report.waiting:
                log.info("letters", edition=edition_id, waiting=waiting)
            if report.urgent:
                subject = f"Letters of {edition_id}: {', '.join(report.needs)}"
                _tell(service, edition_id, subject, "\n\n".join(report.urgent), clock())


def _forget_requests(service: Service, now: datetime) -> None:
    """Requests to subscribe that nobody has confirmed go once they have expired; looked for each hour."""
    if service.forgot is not None and timedelta(0) <= now - service.forgot < _FORGET:
        return
    service.forgot = now
    if forgotten := requests.forget_expired(service.workspace.engine, now.astimezone(UTC)):
        log.info("expired requests to subscribe removed", requests=forgotten)


def fetch_due(service: Service, now: datetime) -> None:
    """Fetch the day's digest from each source that has not given it yet, and learn the edition's themes."""
    schedule = service.workspace.settings.schedule
    local = now.astimezone(ZoneInfo(schedule.timezone))
    if local.time() < schedule.fetch_at:
        return
    day, changed = local.date(), False
    done = {
        s.source
        for s in archive.source_states(service.workspace.engine, since=day)
        if s.day == day and s.state == "fetched"
    }
    for source in service.workspace.settings.sources:
        last = service.tried.get((source.name, day))
        if source.name in done or (last is not None and now - last < _RETRY):
            continue
        service.tried[source.name, day] = now
        for intake in pipeline.fetch_sources(service.workspace, source.name, [day]):
            if intake.state in _NEEDS_A_PERSON:
                subject = f"{source.name}: the digest of {day} is {intake.state}"
                _tell(service, f"{source.name} {day}", subject, f"{intake.reason}\n\nIt is tried again by itself.", now)
            changed = changed or bool(intake.new)
            log.log(
                30 if intake.state != "fetched" else 20,
                "fetched",
                source=intake.source,
                day=str(day),
                state=intake.state,
                new=len(intake.new),
                reason=intake.reason,
            )
    _fetch_likes(service, day, now)
    if changed:
        pipeline.prepare(service.workspace, day)


def _tell(service: Service, about: str, subject: str, text: str, now: datetime) -> None:
    """One mail for one thing, not one for each retry or restart; in the log at once, by mail when mail goes."""
    data = service.workspace.settings.data
    beat, notice = read_heartbeat(data), f"{about}: {subject}"
    if notice in beat.told:
        return
    if notice not in service.logged:
        service.logged.add(notice)
        log.warning("for the operator", subject=subject, text=text)
    try:
        outcome = pipeline.tell_operator(service.workspace, subject, text, at=now)
    except NewsletterError as error:
        log.info("the operator could not be told", why=str(error))
        return
    if outcome is None or outcome.kind == "accepted":
        write_heartbeat(data, replace(beat, ticked=now.astimezone(UTC)).telling(notice))


def _beating(data: Path, clock: Callable[[], datetime]) -> Callable[[int, int, str], None]:
    """A report of progress that keeps the heartbeat young while many letters go out."""
    last = clock()

    def beat(_done: int, _total: int, _text: str) -> None:
        nonlocal last
        if (now := clock()) - last > TICK:
            last = now
            write_heartbeat(data, replace(read_heartbeat(data), ticked=now.astimezone(UTC)))

    return beat


def _fetch_likes(service: Service, day: date, now: datetime) -> None:
    """Ask arXiv for liked papers that the archive does not have; where there are none, it is not asked."""
    last = service.tried.get((_LIKES, day))
    if last is not None and now - last < _RETRY:
        return
    service.tried[_LIKES, day] = now
    if (intake := pipeline.fetch_likes(service.workspace, today=day)) is not None:
        refused = [refusal.where for refusal in intake.refused]
        log.info("liked papers fetched", new=len(intake.new), unknown=refused, reason=intake.reason)


def due_letters(workspace: Workspace, now: datetime) -> dict[date, list[tuple[Subscriber, Due]]]:
    """Readers whose letter is due and not in the ledger yet, by the day of the edition that it carries."""
    schedule = workspace.settings.schedule
    fetch, grace = FetchTime(schedule.fetch_at, schedule.timezone), timedelta(hours=schedule.grace_hours)
    found: dict[date, list[tuple[Subscriber, Due]]] = {}
    for reader in pipeline.readers(workspace):
        if (letter := due(reader, now, grace=grace, fetch=fetch)) is not None:
            found.setdefault(letter.edition, []).append((reader, letter))
    planned = {day: {row.subscriber for row in pipeline.deliveries(workspace, day)} for day in found}
    fresh = {day: [(r, d) for r, d in wanted if r.name not in planned[day]] for day, wanted in found.items()}
    return {day: wanted for day, wanted in fresh.items() if wanted}


def _plan(workspace: Workspace, day: date, wanted: list[tuple[Subscriber, Due]], now: datetime) -> None:
    """Letters for those in time, visible skips for those too late or paused; without papers yet, wait for them."""
    edition = pipeline.prepare(workspace, day)
    ready = [(reader, letter) for reader, letter in wanted if letter.verdict == "send" and edition.papers]
    skips = [_skip(edition, reader, letter) for reader, letter in wanted if letter.verdict != "send"]
    if skips:
        ledger.plan(workspace.engine, edition.id, skips, now, key=workspace.key)
    if ready:
        gathered = {reader.name: letter.editions for reader, letter in ready}
        planned = pipeline.plan(
            workspace, edition, [replace(reader, paused_until=None) for reader, _ in ready], at=now, gathered=gathered
        )
        log.info("planned", edition=edition.id, letters=planned.letters, skips=planned.skips)


def _skip(edition: Edition, reader: Subscriber, letter: Due) -> Skip:
    why = letter.why if edition.papers or letter.verdict == "paused" else f"no digest came for {edition.day}"
    return Skip(edition.id, reader.name, reader.email, why)
