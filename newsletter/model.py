"""The value types of the newsletter, each frozen and named by its stage; nothing else.

Digest -> archive -> Edition;  Edition + Profile -> Pick* -> Letter | Skip -> Message -> Outcome -> Delivery
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Literal

Trend = Literal["rising", "steady", "new"]
ReasonKind = Literal["interest", "like", "author", "keyword", "trending", "fresh", "explore"]
PickKind = Literal["pick", "trending", "explore"]
State = Literal["planned", "sending", "sent", "deferred", "failed", "uncertain", "skipped"]
Phase = Literal["connect", "tls", "auth", "mail", "rcpt", "data", "dot", "quit", "render"]
OutcomeKind = Literal["accepted", "deferred", "refused", "uncertain", "stop"]


@dataclass(frozen=True, slots=True)
class Paper:
    """One research paper as its source described it. Never carries a score.

    `id` is canonical: ``arxiv:2503.01234`` (no version), else ``doi:10.1000/x``, else ``title:`` and a hash.
    `published` is the paper's own date. Counts are None where the source does not know them.
    """

    id: str
    title: str
    abstract: str
    authors: tuple[str, ...] = ()
    url: str = ""
    published: date | None = None
    source: str = ""
    doi: str = ""
    upvotes: int | None = None
    comments: int | None = None
    stars: int | None = None
    pdf: str = ""
    code: str = ""
    project: str = ""
    thumbnail: str = ""
    categories: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Refusal:
    """An input item that could not be read: which one and why; the rest of the input went on."""

    where: str
    why: str


@dataclass(frozen=True, slots=True)
class Digest:
    """One day's papers from one source: the input."""

    source: str
    day: date
    papers: tuple[Paper, ...]
    refused: tuple[Refusal, ...] = ()


@dataclass(frozen=True, slots=True)
class ArchivedPaper:
    """A paper with the day on which the archive first saw it."""

    paper: Paper
    day: date


@dataclass(frozen=True, slots=True)
class Momentum:
    """How a theme moves: this week's papers per day against the weeks before (smoothed ratio and its 80 % interval).

    `history` holds the theme's papers per day, oldest first, the edition's day last.
    """

    trend: Trend
    rate: float
    low: float
    high: float
    history: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Theme:
    """A group of papers with a stable id and a name. `papers` are the edition's own, nearest to the centroid first."""

    id: str
    label: str
    keywords: tuple[str, ...]
    papers: tuple[str, ...]
    momentum: Momentum


@dataclass(frozen=True, slots=True)
class KnownTheme:
    """A theme as the archive remembers it between editions, so that ids and labels survive the moving window.

    `centroid` is a unit vector in the space of embedding model `model`; `papers` are all its papers in the window.
    """

    id: str
    label: str
    keywords: tuple[str, ...]
    papers: tuple[str, ...]
    centroid: tuple[float, ...]
    model: str
    first_day: date
    last_day: date
    labelled: date


@dataclass(frozen=True, slots=True)
class ThemeEvent:
    """What happened to a theme's identity on a day: theme `id` split from, or merged into, `other`."""

    day: date
    kind: Literal["born", "split", "merged", "renamed"]
    id: str
    other: str = ""


@dataclass(frozen=True, slots=True)
class Edition:
    """One day's issue: its papers and themes, frozen. `id` is deterministic: ``daily/2025-03-13``."""

    id: str
    day: date
    papers: tuple[Paper, ...]
    themes: tuple[Theme, ...]


@dataclass(frozen=True, slots=True)
class Interest:
    """One thing a reader cares about, in their own words; `group` is the editor's name for a set of interests."""

    text: str
    weight: float = 1.0
    group: str = ""


@dataclass(frozen=True, slots=True)
class Profile:
    """What a reader wants. Ids in `likes` and `dislikes` are canonical paper ids.

    `trending` mixes from 0 (relevance only) to 1 (what everyone reads). `explore` is the number of picks that are
    openly a step outside the interests. `papers` is the most that a letter holds.
    """

    interests: tuple[Interest, ...] = ()
    avoid: tuple[str, ...] = ()
    likes: tuple[str, ...] = ()
    dislikes: tuple[str, ...] = ()
    follow_authors: tuple[str, ...] = ()
    follow_keywords: tuple[str, ...] = ()
    trending: float = 0.3
    papers: int = 12
    explore: int = 1
    quiet_days: Literal["send", "skip"] = "send"


@dataclass(frozen=True, slots=True)
class Subscriber:
    """A reader: `name` is the key (the file's stem), `display_name` how the letter greets them.

    `days` are ISO weekdays, Monday 1 to Sunday 7; `weekly` tells that one letter gathers the week's editions.
    """

    name: str
    email: str
    profile: Profile
    display_name: str = ""
    timezone: str = "UTC"
    send_at: time = time(7, 0)
    days: frozenset[int] = frozenset(range(1, 8))
    weekly: bool = False
    language: str = "en"
    text_only: bool = False
    paused_until: date | None = None


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a paper was picked, from the arithmetic alone.

    `what` is the matched interest, liked paper's title, author, keyword; `share` its part of the score from 0 to 1;
    `words` the words of the paper that matched.
    """

    kind: ReasonKind
    what: str
    share: float
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Pick:
    """A paper chosen for a reader: its score, the parts that sum to it, and the reasons."""

    paper: Paper
    theme: str
    score: float
    parts: Mapping[str, float]
    reasons: tuple[Reason, ...]
    kind: PickKind = "pick"


@dataclass(frozen=True, slots=True)
class Entry:
    """A pick as the letter shows it: title and summary in readable text, complete sentences."""

    pick: Pick
    title: str
    summary: str
    compact: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """A theme in the letter with its entries, best first."""

    theme: Theme
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Letter:
    """One subscriber's content in one edition, frozen as data before anything is sent.

    `top` are the best picks in full; `sections` the rest by theme, the reader's best themes first; `more` counts the
    picks that the size budget moved to the web view; `total` the papers that were read for this edition. `hint` is
    empty or ``interests``: the reader has told us nothing yet.
    """

    edition: str
    day: date
    subscriber: str
    email: str
    display_name: str
    language: str
    subject: str
    preheader: str
    top: tuple[Entry, ...]
    sections: tuple[Section, ...]
    trending: tuple[Entry, ...] = ()
    explore: tuple[Entry, ...] = ()
    more: int = 0
    text_only: bool = False
    hint: str = ""
    total: int = 0


@dataclass(frozen=True, slots=True)
class Skip:
    """No letter for this subscriber in this edition, and why. The ledger keeps the reason."""

    edition: str
    subscriber: str
    email: str
    reason: str


@dataclass(frozen=True, slots=True)
class Message:
    """Envelope and bytes: what SMTP is given. `data` is RFC 5322 with CRLF line ends.

    `name` tells edition and subscriber (``daily/2025-03-13/ada``) where no address may be shown.
    """

    sender: str
    recipient: str
    message_id: str
    data: bytes = field(repr=False)
    name: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the transport said of one message. An expected failure is a value, not an exception.

    `kind`: accepted; deferred (safe to try again); refused (for good); uncertain (no answer after the final dot);
    stop (nothing further may be sent in this run, e.g. 535). `code` and `enhanced` are RFC 5321 and RFC 3463 codes.
    """

    kind: OutcomeKind
    phase: Phase
    code: int = 0
    enhanced: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Delivery:
    """The ledger's row for one letter: one per (edition, subscriber). After `expires` nobody tries it any more."""

    id: int
    edition: str
    subscriber: str
    email: str
    state: State
    attempts: int = 0
    next_at: datetime | None = None
    reason: str = ""
    message_id: str = ""
    letter: Letter | None = None
    expires: datetime | None = None
