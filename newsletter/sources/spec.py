"""What the operator says about a source."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, get_args
from urllib.parse import urlsplit

from newsletter.errors import ConfigError
from newsletter.sources.reading import link

Kind = Literal["huggingface", "arxiv", "rss", "folder"]
# https://arxiv.org/category_taxonomy: "cs.CL", "astro-ph.GA", "hep-ex", and whole archives as "cs.*"
_CATEGORY = re.compile(r"^[a-z]+(?:-[a-z]+)?(?:\.(?:[A-Za-z]{2}|[a-z]+(?:-[a-z]+)+|\*))?$")


@dataclass(frozen=True, slots=True)
class SourceSpec:
    """One source, validated; raises ConfigError.

    kind: huggingface (daily papers by date), arxiv (new papers of `categories`), rss (RSS or Atom at `url`), folder
    (files at `path`). `url` replaces the address of huggingface and arxiv, for a mirror.
    accept: "identified" takes only feed items with an arXiv id or DOI, "all" every item with title and text.
    internal_hosts: machines on private networks (``name`` or ``name:port``) that the source may be fetched from.
    replacements: True takes new versions of older papers from arXiv's feeds too.
    """

    name: str
    kind: Kind
    url: str = ""
    path: str = ""
    categories: tuple[str, ...] = ()
    accept: Literal["identified", "all"] = "identified"
    replacements: bool = False
    internal_hosts: tuple[str, ...] = ()

    @property
    def inside(self) -> tuple[str, ...]:
        """The private machines that it may be fetched from: those named, and its own address where only the operator
        can have meant a machine of theirs by it."""
        from newsletter.sources.outward import is_inner_name

        parts = urlsplit(self.url)
        if not parts.hostname or not is_inner_name(parts.hostname):
            return self.internal_hosts
        return (*self.internal_hosts, f"{parts.hostname}:{parts.port or {'https': 443}.get(parts.scheme, 80)}")

    def __post_init__(self) -> None:
        for why, do in _problems(self):
            raise ConfigError("cannot use source", which=self.name or "without a name", why=why, do=do)


def _problems(spec: SourceSpec) -> list[tuple[str, str]]:
    checks = [
        (not spec.name.strip(), "it has no name", "Give it a name, such as daily"),
        (spec.kind not in get_args(Kind), f"kind {spec.kind!r} is not known", f"Kinds: {', '.join(get_args(Kind))}"),
        (bool(spec.url) and not link(spec.url), f"{spec.url!r} is no http address", "Write the full https:// address"),
        (spec.kind == "rss" and not spec.url, "kind rss needs a url", "Add the feed's https:// address"),
        (spec.kind == "folder" and not spec.path, "kind folder needs a path", "Add the folder's path"),
        (spec.kind == "arxiv" and not spec.categories, "kind arxiv needs categories", "Add some, such as [cs.CL]"),
        (spec.accept not in {"identified", "all"}, f"accept {spec.accept!r} is not known", "identified or all"),
    ]
    for category in spec.categories:
        wrong = not _CATEGORY.match(category)
        checks.append((wrong, f"{category!r} is no arXiv category", "See https://arxiv.org/category_taxonomy"))
    return [(why, do) for wrong, why, do in checks if wrong]
