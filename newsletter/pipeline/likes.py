"""Papers that readers like: from a bibliography, by id or address, and fetched where the archive lacks their text.

bibliography | ids -> archive (in no edition) -> the reader's YAML, comments kept
likes of every profile -> those without text -> arXiv -> archive            `newsletter fetch`, never `send`
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from newsletter import sources
from newsletter.errors import DigestError
from newsletter.identity import arxiv_id, doi_id
from newsletter.model import Paper, Refusal, Subscriber
from newsletter.pipeline import roster
from newsletter.pipeline.intake import Intake
from newsletter.pipeline.workspace import Workspace
from newsletter.settings import Append, Problem
from newsletter.store import archive, feedback
from newsletter.store.absent import absent, record_absent

if TYPE_CHECKING:
    import httpx

SOURCE = "likes"
_ASK_AGAIN = timedelta(days=30)  # a paper may be announced after a reader has written down its id
_REQUEST = 100  # ids; what one request brings is stored before the next
_NOTED = 1_000  # more likes than that get no titles behind them: a file holds at most 1 MB
_NOTE = 72  # characters of a title behind an id
_RANK = ("arxiv:", "doi:", "title:")


@dataclass(frozen=True, slots=True)
class Liking:
    """What became of papers that a reader likes. `added` and `known` are ids as the profile has them now.

    `waiting` are added ones whose text is not there yet, and why; `refused` were not added; `new` counts papers that
    the archive had not known.
    """

    added: tuple[str, ...]
    known: tuple[str, ...] = ()
    refused: tuple[Refusal, ...] = ()
    waiting: tuple[Refusal, ...] = ()
    new: int = 0
    warnings: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Like:
    """One liked paper. `state`: here (the archive has it), bare (its title alone), waiting (not fetched yet), or absent
    (arXiv does not know it). `said` tells where: in the profile, or in answer to a letter."""

    id: str
    title: str
    state: Literal["here", "bare", "waiting", "absent"]
    said: Literal["profile", "letter"] = "profile"


@dataclass(frozen=True, slots=True)
class _Fetched:
    new: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    refused: tuple[Refusal, ...] = ()
    unasked: tuple[str, ...] = field(default=())
    reason: str = ""


def import_likes(workspace: Workspace, reader: Subscriber, path: Path) -> Liking:
    """Every paper of a reference manager's export into the archive and among the reader's likes.

    Raises DigestError for what is no bibliography, ConfigError where the reader's file cannot be changed.
    """
    read = sources.read_bibliography(path)
    added = archive.add_unlisted(workspace.engine, read.papers)
    return replace(_like(workspace, reader, read.papers), refused=read.refused, new=len(added.new))


def add_likes(
    workspace: Workspace, reader: Subscriber, names: Sequence[str], *, today: date, client: httpx.Client | None = None
) -> Liking:
    """Papers by arXiv id, address, DOI, or title of one that the archive has, among the reader's likes.

    What the archive does not have is asked of arXiv; without network it is added all the same and fetched later.
    """
    here = archive.papers(workspace.engine, names)
    ids = {name: arxiv_id(name) or doi_id(name) for name in names}
    refused = [Refusal(name, _NO_ID) for name, id_ in ids.items() if not id_ and name not in here]
    lacking = [id_ for name, id_ in ids.items() if id_ and _lacks(id_, here.get(name))]
    fetched = _fetch(workspace, lacking, today, client)
    refused += fetched.refused
    unknown = {one.where for one in fetched.refused}
    found = archive.papers(workspace.engine, names)
    papers = [found.get(name) or Paper(id_ or "", "", "") for name, id_ in ids.items() if id_ or name in found]
    liking = _like(workspace, reader, [paper for paper in papers if paper.id not in unknown])
    bare = [p.id for p in papers if not p.title and p.id not in unknown]
    waiting = [Refusal(id_, fetched.reason if id_.startswith("arxiv:") else _ONLY_ARXIV) for id_ in bare]
    return replace(liking, refused=tuple(refused), waiting=tuple(waiting), new=len(fetched.new))


_NO_ID = "it is neither an arXiv id or address, nor a DOI, nor the title of a paper in the archive"
_ONLY_ARXIV = "only arXiv is asked for papers; this one counts once a digest or a bibliography has brought it"


def fetch_likes(workspace: Workspace, *, today: date, client: httpx.Client | None = None) -> Intake | None:
    """Ask arXiv for the likes and dislikes of all readers whose text the archive lacks; None where there are none.

    What arXiv does not know is not asked for again for thirty days. A failure is a reason, not an exception.
    """
    readers = workspace.found.subscribers
    rated = dict.fromkeys(i for r in readers for i in (*r.profile.likes, *r.profile.dislikes) if i.startswith("arxiv:"))
    here = archive.papers(workspace.engine, rated)
    lacking = [id_ for id_ in rated if _lacks(id_, here.get(id_))]
    given_up = absent(workspace.engine, lacking, today - _ASK_AGAIN)
    wanted = [id_ for id_ in lacking if id_ not in given_up]
    if not wanted:
        return None
    fetched = _fetch(workspace, wanted, today, client)
    found = len(fetched.new) + len(fetched.known)
    return Intake(
        SOURCE, today, "failed" if fetched.reason else "fetched", found, fetched.new, fetched.known, fetched.refused,
        f"{len(fetched.unasked)} liked papers wait for the next fetch: {fetched.reason}" if fetched.reason else "",
    )  # fmt: skip


def list_likes(workspace: Workspace, reader: Subscriber) -> list[Like]:
    """The reader's liked papers, those of the profile first, each once."""
    said = feedback.feedback(workspace.engine, [reader.name]).get(reader.name, ())
    letter = [one.paper for one in said if one.kind in ("more", "save")]
    here = archive.papers(workspace.engine, [*reader.profile.likes, *letter])
    lost = absent(workspace.engine, reader.profile.likes, date.min)
    listed: dict[str, Like] = {}
    for place, ids in (("profile", reader.profile.likes), ("letter", letter)):
        for id_ in ids:
            paper = here.get(id_)
            like = Like(id_, paper.title if paper else "", _state(id_, paper, lost), place)  # type: ignore[arg-type]
            listed.setdefault(paper.id if paper else id_, like)
    return list(listed.values())


def _state(id_: str, paper: Paper | None, lost: Collection[str]) -> Literal["here", "bare", "waiting", "absent"]:
    if paper is not None:
        return "here" if paper.abstract else "bare"
    return "absent" if id_ in lost else "waiting"


def _lacks(id_: str, paper: Paper | None) -> bool:
    return id_.startswith("arxiv:") and (paper is None or not paper.abstract)


def _fetch(workspace: Workspace, ids: Sequence[str], today: date, client: httpx.Client | None) -> _Fetched:
    """Ask arXiv for `ids`, request by request, each stored before the next; ends at the first that fails."""
    new, known, refused = list[str](), list[str](), list[Refusal]()
    if not ids:
        return _Fetched()
    opened = nullcontext(client) if client else sources.open_client(contact=workspace.settings.base_url)
    with opened as asking:
        for start in range(0, len(ids), _REQUEST):
            try:
                reading = sources.fetch_papers(ids[start : start + _REQUEST], asking)
            except DigestError as error:
                return _Fetched(tuple(new), tuple(known), tuple(refused), tuple(ids[start:]), str(error))
            added = archive.add_unlisted(workspace.engine, reading.papers)
            record_absent(workspace.engine, (one.where for one in reading.refused if arxiv_id(one.where)), today)
            new += added.new
            known += added.known
            refused += reading.refused
    return _Fetched(tuple(new), tuple(known), tuple(refused))


def _like(workspace: Workspace, reader: Subscriber, papers: Iterable[Paper]) -> Liking:
    """`papers` among the likes in the reader's file, but for those that are there already under any of their names."""
    wanted = {paper.id: paper for paper in papers}
    here = archive.papers(workspace.engine, [*wanted, *reader.profile.likes])
    liked = {id_ for like in reader.profile.likes for id_ in (like, here[like].id if like in here else like)}
    added: dict[str, str] = {}
    known: list[str] = []
    for id_, paper in wanted.items():
        archived = here.get(id_, paper)
        name = min((id_, archived.id), key=_rank)
        if {id_, archived.id} & (liked | added.keys()):
            known.append(name)
        else:
            added[name] = archived.title
    warnings = _write(workspace, reader, added)
    return Liking(tuple(added), tuple(known), warnings=warnings)


def _rank(id_: str) -> int:
    return next((place for place, kind in enumerate(_RANK) if id_.startswith(kind)), len(_RANK))


def _write(workspace: Workspace, reader: Subscriber, titles: Mapping[str, str]) -> tuple[Problem, ...]:
    """The ids into the reader's document, with their titles behind them while they are few; check's warnings."""
    document = roster.read_document(workspace, reader.name) if titles else None
    if document is None:
        return ()
    few = len(titles) + len(reader.profile.likes) <= _NOTED
    notes = {id_: _cut(title) for id_, title in titles.items() if title} if few else {}
    return roster.change_document(workspace, document, {"likes": Append(tuple(titles), notes)}, now=datetime.now(UTC))


def _cut(title: str) -> str:
    return title if len(title) <= _NOTE else title[: _NOTE - 1].rstrip() + "…"
