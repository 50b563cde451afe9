"""Digests into the archive: what came, from where, and whether it can be believed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from newsletter import sources
from newsletter.errors import ConfigError, DigestError
from newsletter.model import Digest, Refusal
from newsletter.pipeline.workspace import Workspace
from newsletter.settings.problems import did_you_mean
from newsletter.store import archive

if TYPE_CHECKING:
    import httpx


@dataclass(frozen=True, slots=True)
class Intake:
    """What became of one digest. `state`: fetched, empty, stale, small (refused unless forced) or failed."""

    source: str
    day: date
    state: str
    papers: int = 0
    new: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    refused: tuple[Refusal, ...] = ()
    reason: str = ""


def fetch_path(workspace: Workspace, path: Path, *, day: date | None, today: date, force: bool = False) -> list[Intake]:
    """Read a file or folder of digests into the archive, oldest day first; raises DigestError."""
    digests = sources.read_path(path, day=day, today=today)
    return [take_in(workspace, digest, force=force) for digest in sorted(digests, key=lambda d: d.day)]


def fetch_sources(workspace: Workspace, name: str | None, days: Sequence[date], *, force: bool = False) -> list[Intake]:
    """Fetch every configured source, or the one called `name`, for each day. A source that fails hinders no other."""
    specs = [spec for spec in source_specs(workspace) if name in (None, spec.name)]
    if not specs:
        raise _no_source(workspace, name)
    with sources.open_client(contact=workspace.settings.base_url) as client:
        return [_fetch(workspace, spec, day, client, force=force) for day in days for spec in specs]


def source_specs(workspace: Workspace) -> list[sources.SourceSpec]:
    """The configured sources as `newsletter.sources` wants them."""
    return [
        sources.SourceSpec(
            s.name,
            s.kind,
            url=s.url,
            path=str(s.path or ""),
            categories=tuple(s.categories),
            internal_hosts=tuple(s.internal_hosts),
        )
        for s in workspace.settings.sources
    ]


def take_in(workspace: Workspace, digest: Digest, *, force: bool = False) -> Intake:
    """One digest into the archive, unless it is not plausible and not forced."""
    engine = workspace.engine
    if digest.refused and not digest.papers:
        why = f"nothing in it could be read: {digest.refused[0].where}: {digest.refused[0].why}"
        archive.record_source(engine, digest.source, digest.day, "failed", 0, why)
        return Intake(digest.source, digest.day, "failed", refused=digest.refused, reason=why)
    judged = sources.judge(digest, archive.usual_size(engine, digest.source, digest.day), _repeated(workspace, digest))
    if judged.state in ("empty", "small", "stale") and not (force and digest.papers):
        stored = "failed" if judged.state == "small" else judged.state
        archive.record_source(engine, digest.source, digest.day, stored, len(digest.papers), judged.reason)
        return Intake(
            digest.source, digest.day, judged.state, len(digest.papers), refused=digest.refused,
            reason=judged.reason + ("; nothing was stored, --force takes it" if judged.state != "empty" else ""),
        )  # fmt: skip
    added = archive.add_digest(engine, digest)
    archive.record_source(engine, digest.source, digest.day, "fetched", len(digest.papers), "")
    return Intake(digest.source, digest.day, "fetched", len(digest.papers), added.new, added.known, digest.refused)


def _fetch(workspace: Workspace, spec: sources.SourceSpec, day: date, client: httpx.Client, *, force: bool) -> Intake:
    try:
        digest = sources.fetch(spec, day, client=client)
    except DigestError as error:
        archive.record_source(workspace.engine, spec.name, day, "failed", 0, str(error))
        return Intake(spec.name, day, "failed", reason=str(error))
    return take_in(workspace, digest, force=force)


def _repeated(workspace: Workspace, digest: Digest) -> float:
    """The share of the papers that the source's last digest before it held; 1.0: it has not moved on."""
    states = archive.source_states(workspace.engine, source=digest.source)
    days = [state.day for state in states if state.state == "fetched" and state.day < digest.day]
    if not days or not digest.papers:
        return 0.0
    before = archive.sighted(workspace.engine, digest.source, max(days))
    known = archive.papers(workspace.engine, [paper.id for paper in digest.papers])
    return sum(paper.id in known and known[paper.id].id in before for paper in digest.papers) / len(digest.papers)


def _no_source(workspace: Workspace, name: str | None) -> ConfigError:
    names = [source.name for source in workspace.settings.sources]
    if name is None:
        return ConfigError(
            "There are no sources to fetch",
            which=str(workspace.config / "newsletter.yaml"),
            do="Add some under `sources`, or read a file with --from",
        )
    return ConfigError(
        "There is no source",
        which=repr(name),
        do=did_you_mean(name, names) or f"There are: {', '.join(names) or 'none'}",
    )
