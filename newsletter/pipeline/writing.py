"""What a language model writes for an edition, where the settings name one: summaries, and names of themes.

Nothing here is needed: without an answer that is right, the letter says what the papers' own words say.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, TypeVar

import structlog

from newsletter import writer
from newsletter.errors import ConfigError
from newsletter.model import KnownTheme, Paper
from newsletter.pipeline.workspace import Workspace
from newsletter.store import summaries
from newsletter.themes import Learned
from newsletter.themes.phrases import alike, key, title_case
from newsletter.themes.words import nameable

if TYPE_CHECKING:
    import httpx

log = structlog.get_logger()
Answer = TypeVar("Answer")
_SECONDS = 300.0  # that an edition waits for the model, at most


def summarise(workspace: Workspace, papers: Sequence[Paper]) -> None:
    """Have the papers summarised that are not yet, the most read first; what is not written stays extractive."""
    settings = workspace.settings.language_model
    if settings is None or not settings.summaries:
        return
    known = written(workspace, papers)
    missing = [paper for paper in papers if paper.id not in known and paper.abstract]
    if not missing:
        return
    missing.sort(key=lambda paper: -(paper.upvotes or 0))
    made = _ask(
        workspace, "summaries", len(missing),
        lambda client, endpoint, run: writer.write_summaries(client, endpoint, missing, run),
    )  # fmt: skip
    summaries.put_summaries(workspace.engine, _name(workspace), made)


def written(workspace: Workspace, papers: Sequence[Paper]) -> Mapping[str, tuple[str, ...]]:
    """{paper id: sentences} as the model wrote them before; empty where the settings do not want them."""
    settings = workspace.settings.language_model
    if settings is None or not settings.summaries:
        return {}
    return summaries.get_summaries(workspace.engine, _name(workspace), [paper.id for paper in papers])


def named(
    workspace: Workspace, learned: Learned, before: Sequence[KnownTheme], papers: Mapping[str, Paper], day: date
) -> Learned:
    """The learned themes with better names for those that were named today; ids, and the names of others, stay."""
    settings = workspace.settings.language_model
    fresh = [theme for theme in learned.known if theme.labelled == day]
    if settings is None or not settings.theme_names or not fresh:
        return learned
    held = {theme.id: theme.label for theme in before}
    today = {theme.id: theme.papers for theme in learned.themes}  # nearest to the centroid first
    groups = [
        writer.Group(
            theme.id, theme.label, held.get(theme.id, ""), theme.keywords,
            tuple(papers[p].title for p in dict.fromkeys((*today.get(theme.id, ()), *theme.papers)) if p in papers),
        )
        for theme in fresh
    ]  # fmt: skip
    given = _ask(
        workspace, "theme names", len(groups),
        lambda client, endpoint, run: writer.name_themes(client, endpoint, groups, run),
    )  # fmt: skip
    labels = accepted({theme.id: theme.label for theme in learned.known}, given)
    return replace(
        learned,
        themes=tuple(replace(theme, label=labels.get(theme.id, theme.label)) for theme in learned.themes),
        known=tuple(replace(theme, label=labels[theme.id]) for theme in learned.known),
        events=tuple(e for e in learned.events if e.kind != "renamed" or labels.get(e.id) != held.get(e.id)),
    )


def accepted(labels: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """{theme id: label}: the given name where it could name a theme and is like no other label, else the one it has."""
    now = dict(labels)
    for theme, name in given.items():
        words = tuple(title_case(word) for word in name.split())
        others = [key(label.split()) for other, label in now.items() if other != theme]
        if theme in now and nameable(words) and not any(alike(key(words), other) for other in others):
            now[theme] = " ".join(words)
    return now


def _ask(
    workspace: Workspace, what: str, count: int,
    question: Callable[[httpx.Client, writer.Endpoint, writer.Run], dict[str, Answer]],
) -> dict[str, Answer]:  # fmt: skip
    """The model's right answers; how it went is logged."""
    settings, run, given = workspace.settings.language_model, writer.Run(_SECONDS), dict[str, Answer]()
    assert settings is not None  # noqa: S101  the callers have looked
    try:
        secret = workspace.settings.language_model_key()
        endpoint = writer.Endpoint(settings.url, settings.model, secret, settings.timeout)
        with writer.open_client(endpoint) as client:
            given = question(client, endpoint, run)
    except ConfigError as error:
        run.failed(str(error))
    told = {"what": what, "wanted": count, "written": len(given), "refused": run.refused, "why": run.why}
    if run.why:
        log.warning("the language model did not write everything; the papers' own words stand in", **told)
    else:
        log.info("the language model wrote", **told)
    return given


def _name(workspace: Workspace) -> str:
    settings = workspace.settings.language_model
    return f"{settings.model if settings else ''} {writer.VERSION}"
