"""What every format's reader is made of: fields that distrust their input, and items that become papers or refusals."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar
from urllib.parse import urlsplit

from newsletter.identity import canonical_id, doi_id, identity_keys
from newsletter.model import Paper, Refusal
from newsletter.text import tidy

TITLE_MAX = 1_000
ABSTRACT_MAX = 20_000
LINK_MAX = 2_000
ITEMS_MAX = 20_000

Item = TypeVar("Item")
_ISO_DAY = re.compile(r"\s*(\d{4})-(\d{2})-(\d{2})")


@dataclass(frozen=True, slots=True)
class Reading:
    """What one file or answer gave. `day` is the digest's day as the content tells it, None where it does not."""

    format: str
    papers: tuple[Paper, ...]
    refused: tuple[Refusal, ...] = ()
    day: date | None = None


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Why an item is not a paper; `title` helps a person to find it."""

    why: str
    title: str = ""


def text(value: Any) -> str:
    """Tidy text of a string; empty for anything else."""
    return tidy(value) if isinstance(value, str) else ""


def texts(value: Any) -> tuple[str, ...]:
    """The non-empty texts of a list, without repetitions, in order; one string counts as a list of one."""
    items = [value] if isinstance(value, str) else value if isinstance(value, list | tuple) else []
    return tuple(dict.fromkeys(found for item in items if (found := text(item))))


def count(value: Any) -> int | None:
    """A public count: a whole number of at least zero, None for anything else (True, NaN, "many")."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return int(value) if value >= 0 and value == int(value) else None


def link(value: Any) -> str:
    """The address if it is an absolute http or https one of at most 2,000 characters; empty otherwise."""
    address = text(value)
    if len(address) > LINK_MAX or any(c.isspace() for c in address):
        return ""
    try:
        parts = urlsplit(address)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # "http://[::1" and ports beyond 65535
        return ""
    return address if usable else ""


def day_of(value: Any) -> date | None:
    """The calendar day of an ISO 8601 or RFC 822 date as written, whatever its zone; None for anything else."""
    written = value if isinstance(value, str) else ""
    try:
        if match := _ISO_DAY.match(written):
            return date(*map(int, match.groups()))
        return parsedate_to_datetime(written).date()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def paper(*, ids: Sequence[str], title: Any, abstract: Any, doi: Any = "", **facts: Any) -> Paper | Unreadable:
    """A paper from untrusted fields, or why there is none: a paper has a title and an abstract of sane length.

    ids: candidates for the canonical id, best first; facts: the other fields of `Paper`, links as they came.
    """
    named, told = text(title), text(abstract)
    if why := _lacking(named, told):
        return Unreadable(why, named[:80])
    for name in ("url", "pdf", "code", "project", "thumbnail"):
        facts[name] = link(facts.get(name))
    for name in ("upvotes", "comments", "stars"):
        facts[name] = count(facts.get(name))
    for name in ("authors", "categories"):
        facts[name] = texts(facts.get(name))
    written = doi_id(text(doi))
    candidates = [*map(text, ids), written or ""]
    return Paper(
        canonical_id(*candidates, title=named),
        named,
        told,
        doi=written.removeprefix("doi:") if written else "",
        **facts,
    )


def _lacking(title: str, abstract: str) -> str:
    if not title:
        return "it has no title"
    if len(title) > TITLE_MAX:
        return f"its title has {len(title):,} characters, more than {TITLE_MAX:,}"
    if not abstract:
        return "it has a title and no abstract"
    if len(abstract) > ABSTRACT_MAX:
        return f"its abstract has {len(abstract):,} characters, more than {ABSTRACT_MAX:,}"
    return ""


def collect(
    format_: str, items: Iterable[Item], read: Callable[[Item], Paper | Unreadable], *, day: date | None = None
) -> Reading:
    """Read item by item: what is a paper goes on, what is not is refused with its number, and a paper counts once."""
    papers: list[Paper] = []
    refused: list[Refusal] = []
    met: dict[str, int] = {}
    for number, item in enumerate(items, start=1):
        if number > ITEMS_MAX:
            refused.append(Refusal(f"item {number} and all after it", f"a digest holds at most {ITEMS_MAX:,} papers"))
            break
        found = read(item)
        if isinstance(found, Unreadable):
            refused.append(Refusal(_where(number, found.title), found.why))
            continue
        keys = identity_keys(found)
        if (earlier := next((met[key] for key in keys if key in met), None)) is not None:
            refused.append(Refusal(_where(number, found.title[:80]), f"it is the same paper as item {earlier}"))
            continue
        met.update(dict.fromkeys(keys, number))
        papers.append(found)
    return Reading(format_, tuple(papers), tuple(refused), day)


def _where(number: int, title: str) -> str:
    return f"item {number}" + (f" ({title})" if title else "")
