"""From an edition and profiles to picks, and from picks to letters frozen as data."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

from newsletter import due
from newsletter.embedding import Embedder
from newsletter.errors import DigestError
from newsletter.identity import arxiv_id
from newsletter.letter.compose import compose
from newsletter.model import Edition, Letter, Pick, Profile, Skip, Subscriber
from newsletter.pipeline import writing
from newsletter.pipeline.editions import embed, embedder, gather
from newsletter.pipeline.workspace import Workspace
from newsletter.ranking import Corpus, notes, rank
from newsletter.ranking import explain as explain_pick
from newsletter.store import archive, feedback, ledger
from newsletter.store import letters as frozen

if TYPE_CHECKING:
    from newsletter.ranking import Explanation

Gathered = Mapping[str, tuple[date, ...]]


def choose(workspace: Workspace, edition: Edition, subscribers: Sequence[Subscriber]) -> list[tuple[Pick, ...]]:
    """Each reader's picks, in the order of `subscribers`, from the editions since their last letter."""
    chosen = _choose(workspace, edition, subscribers)
    return [chosen[reader.name][1] for reader in subscribers]


def write(
    workspace: Workspace, edition: Edition, subscribers: Sequence[Subscriber], *, gathered: Gathered | None = None
) -> list[Letter | Skip]:
    """Each reader's letter, or why there is none, in the order of `subscribers`.

    `gathered` names the edition days that a reader's letter gathers, where they do not follow from the edition's day.
    """
    awake = [reader for reader in subscribers if not _paused(reader, edition.day)]
    chosen = _choose(workspace, edition, awake, gathered)
    subjects = frozen.last_subjects(workspace.engine, [reader.name for reader in awake], besides=edition.id)
    picked = {pick.paper.id: pick.paper for _, picks in chosen.values() for pick in picks}
    summaries = writing.written(workspace, list(picked.values()))
    letters: list[Letter | Skip] = []
    for reader in subscribers:
        if reader.name in chosen:
            scope, picks = chosen[reader.name]
            previous = subjects.get(reader.name, "")
            letters.append(
                compose(reader, scope, picks, total=len(scope.papers), previous=previous, summaries=summaries)
            )
        else:
            letters.append(Skip(edition.id, reader.name, reader.email, f"paused until {reader.paused_until}"))
    return letters


def as_read(workspace: Workspace, edition: Edition, reader: Subscriber) -> Edition:
    """The edition as the reader's letter gathers it: with the days since their last one."""
    return gather(workspace, edition, _days(reader, edition.day))


def ignored(workspace: Workspace, reader: Subscriber) -> tuple[str, ...]:
    """What the ranking cannot use of the profile, a sentence each: unknown likes, odd weights, no interests."""
    rated = [*reader.profile.likes, *reader.profile.dislikes]
    return notes(reader.profile, frozenset(archive.papers(workspace.engine, rated)))


def explain(workspace: Workspace, edition: Edition, reader: Subscriber, paper: str) -> Explanation:
    """The whole sum for one paper and one reader; raises DigestError if the edition has no such paper."""
    scope = as_read(workspace, edition, reader)
    known = archive.papers(workspace.engine, [paper])
    wanted = known[paper].id if paper in known else arxiv_id(paper) or paper
    profile = _with_feedback(workspace, [reader])[0]
    day, background = _corpora(workspace, scope, [profile])
    seen = ledger.already_sent(workspace.engine, [reader.name], among=[p.id for p in scope.papers], besides=edition.id)
    told = explain_pick(
        profile, wanted, day, background, encode=_model(workspace).encode, themes=_theme_of(scope),
        momentum={theme.id: theme.momentum for theme in scope.themes}, seen=seen[reader.name] | _examples(profile),
        today=edition.day,
    )  # fmt: skip
    if told is not None and wanted in _examples(profile) - seen[reader.name]:
        return replace(told, why_not=("it is among the papers that the reader likes or dislikes", *told.why_not[1:]))
    if told is None:
        raise DigestError(
            "Cannot explain",
            which=paper,
            why=f"it is not among the {len(scope.papers)} papers of {edition.id}",
            do="See them with newsletter themes",
        )
    return told


def _choose(
    workspace: Workspace, edition: Edition, subscribers: Sequence[Subscriber], gathered: Gathered | None = None
) -> dict[str, tuple[Edition, tuple[Pick, ...]]]:
    """For each reader the edition as they read it (several days' for who does not read daily) and their picks."""
    groups: defaultdict[tuple[date, ...], list[Subscriber]] = defaultdict(list)
    for reader in subscribers:
        groups[(gathered or {}).get(reader.name) or _days(reader, edition.day)].append(reader)
    chosen: dict[str, tuple[Edition, tuple[Pick, ...]]] = {}
    for days, group in groups.items():
        scope = gather(workspace, edition, days)
        for reader, picks in zip(group, _rank(workspace, scope, group), strict=True):
            chosen[reader.name] = (scope, picks)
    return chosen


def _rank(workspace: Workspace, scope: Edition, group: Sequence[Subscriber]) -> list[tuple[Pick, ...]]:
    if not scope.papers:
        return [() for _ in group]
    names = [reader.name for reader in group]
    profiles = _with_feedback(workspace, group)
    day, background = _corpora(workspace, scope, profiles)
    seen = ledger.already_sent(workspace.engine, names, among=[p.id for p in scope.papers], besides=scope.id)
    return rank(
        profiles, day, background, encode=_model(workspace).encode, themes=_theme_of(scope),
        momentum={theme.id: theme.momentum for theme in scope.themes},
        seen=[seen[name] | _examples(profile) for name, profile in zip(names, profiles, strict=True)], today=scope.day,
    )  # fmt: skip


def _examples(profile: Profile) -> frozenset[str]:
    """Papers that the reader has rated: they know them, so that they are no news."""
    return frozenset((*profile.likes, *profile.dislikes))


def _with_feedback(workspace: Workspace, group: Sequence[Subscriber]) -> list[Profile]:
    """The profiles with what their readers said of papers since: more and save are likes, less is a dislike.

    Papers are named as the archive names them, so that one liked by its DOI or title counts too.
    """
    said = feedback.feedback(workspace.engine, [reader.name for reader in group])
    rated = [_rated(reader.profile, said.get(reader.name, ())) for reader in group]
    here = archive.papers(workspace.engine, {i for likes, dislikes in rated for i in (*likes, *dislikes)})
    names = {name: paper.id for name, paper in here.items()}
    return [
        replace(reader.profile, likes=_merged(likes, names), dislikes=_merged(dislikes, names))
        for reader, (likes, dislikes) in zip(group, rated, strict=True)
    ]


def _rated(profile: Profile, said: Sequence[feedback.Feedback]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    dislikes = tuple(one.paper for one in said if one.kind == "less")  # the plainer word, if it was saved as well
    likes = tuple(one.paper for one in said if one.kind in ("more", "save") and one.paper not in dislikes)
    return (*profile.likes, *likes), (*profile.dislikes, *dislikes)


def _corpora(workspace: Workspace, scope: Edition, profiles: Sequence[Profile]) -> tuple[Corpus, Corpus]:
    """The edition's papers, and the archive's window with every paper that a profile likes or dislikes."""
    window = archive.window(workspace.engine, scope.day, workspace.settings.themes.window_days)
    examples = archive.papers(workspace.engine, {i for p in profiles for i in (*p.likes, *p.dislikes)})
    papers = {a.paper.id: a.paper for a in window} | {paper.id: paper for paper in examples.values()}
    own = Corpus(scope.papers, embed(workspace, scope.papers))
    return own, Corpus(tuple(papers.values()), embed(workspace, list(papers.values())))


def _days(reader: Subscriber, day: date) -> tuple[date, ...]:
    """The edition days that the reader's letter of `day` gathers; on a day that is not theirs, a week or that day."""
    if day.isoweekday() not in reader.days:
        return tuple(day - timedelta(days=back) for back in range(6, -1, -1)) if reader.weekly else (day,)
    found = due.due(replace(reader, paused_until=None), due.scheduled(reader, day), grace=timedelta(0))
    return found.editions if found else (day,)


def _theme_of(edition: Edition) -> dict[str, str]:
    return {paper: theme.id for theme in edition.themes for paper in theme.papers}


def _model(workspace: Workspace) -> Embedder:
    return embedder(workspace.settings.embedding.model, workspace.settings.data)


def _paused(reader: Subscriber, day: date) -> bool:
    return reader.paused_until is not None and day < reader.paused_until


def _merged(rated: tuple[str, ...], names: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names.get(paper, paper) for paper in rated))
