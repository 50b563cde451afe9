"""The live services, by kind: one day's digest from Hugging Face, arXiv, a feed or a folder; papers by arXiv id."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import httpx

from newsletter.errors import DigestError
from newsletter.identity import arxiv_id
from newsletter.model import Digest, Paper, Refusal
from newsletter.sources import arxiv, content, files, http, json_document, xml_document
from newsletter.sources.reading import Reading
from newsletter.sources.spec import SourceSpec

HUGGINGFACE = "https://huggingface.co/api/daily_papers"
ARXIV = "https://export.arxiv.org/api/query"
PAGE = 100  # papers per arXiv answer, and ids per id_list
ARXIV_MAX = 2_000  # papers of one day; all of arXiv announces about 1,200


def fetch(source: SourceSpec, day: date, *, client: httpx.Client) -> Digest:
    """The source's digest of `day`, empty where it has none; raises DigestError where it cannot be had.

    Papers carry the source's name. A feed has no days: its digest is what it shows now.
    """
    by_kind: Mapping[str, Callable[[SourceSpec, date, httpx.Client], Reading]] = {
        "huggingface": _huggingface,
        "arxiv": _arxiv,
        "rss": _feed,
        "folder": _folder,
    }
    reading = by_kind[source.kind](source, day, client)
    papers = tuple(replace(paper, source=source.name) for paper in reading.papers)
    return Digest(source.name, day, papers, reading.refused)


def fetch_papers(ids: Sequence[str], client: httpx.Client, *, url: str = ARXIV) -> Reading:
    """Papers by arXiv id in any spelling, from arXiv's API, 100 a request; ids that give none are refused."""
    known = list(dict.fromkeys(found for text in ids if (found := arxiv_id(text))))
    papers: list[Paper] = []
    refused = [Refusal(text, "it is no arXiv id") for text in ids if not arxiv_id(text)]
    for start in range(0, len(known), PAGE):
        chunk = known[start : start + PAGE]
        bare = ",".join(key.removeprefix("arxiv:") for key in chunk)
        reading = _page(client, url, {"id_list": bare, "start": "0", "max_results": str(PAGE)}, expected=False)[0]
        met = {paper.id for paper in reading.papers}
        papers += reading.papers
        refused += [Refusal(key, "arXiv does not know it") for key in chunk if key not in met]
    return Reading(arxiv.FORMAT, tuple(papers), tuple(refused))


def _huggingface(source: SourceSpec, day: date, client: httpx.Client) -> Reading:
    address = source.url or HUGGINGFACE
    body = http.get(client, address, params={"date": day.isoformat(), "limit": "100"}, internal=source.inside)
    document = _document(body)
    return _usable(document if document is None else json_document.read(document), address)


def _feed(source: SourceSpec, day: date, client: httpx.Client) -> Reading:  # noqa: ARG001  a feed has no days
    body = content.unpack(http.get(client, source.url, internal=source.inside))
    if isinstance(body, str):
        return _usable(body, source.url)
    document = content.decode(body)
    read = xml_document.read(
        body if document is None else document.lstrip(), accept=source.accept, replacements=source.replacements
    )
    return _usable(read, source.url)


def _folder(source: SourceSpec, day: date, client: httpx.Client) -> Reading:  # noqa: ARG001  files need no client
    folder = Path(source.path)
    if not folder.is_dir():
        raise DigestError("cannot read source", which=source.name, why=f"{folder} is no folder", do="Check its path")
    digests = files.read_folder(folder, day=day, today=day)
    papers = tuple({paper.id: paper for digest in digests for paper in digest.papers}.values())
    return Reading("folder", papers, tuple(r for digest in digests for r in digest.refused))


def _arxiv(source: SourceSpec, day: date, client: httpx.Client) -> Reading:
    window = arxiv.submission_window(day)
    if window is None:
        return Reading(arxiv.FORMAT, ())
    query = {
        "search_query": arxiv.query(source.categories, window),
        "sortBy": "submittedDate",
        "sortOrder": "ascending",
        "max_results": str(PAGE),
    }
    papers: dict[str, Paper] = {}
    refused: list[Refusal] = []
    start, total = 0, 1
    while start < min(total, ARXIV_MAX):
        reading, total = _page(
            client, source.url or ARXIV, {**query, "start": str(start)}, expected=start > 0, internal=source.inside
        )
        papers |= {paper.id: paper for paper in reading.papers}
        refused += reading.refused
        start += PAGE
    if total > ARXIV_MAX:
        refused.append(Refusal(f"papers after the first {ARXIV_MAX:,}", f"a day holds at most {ARXIV_MAX:,} papers"))
    return Reading(arxiv.FORMAT, tuple(papers.values()), tuple(refused))


def _page(
    client: httpx.Client, url: str, params: Mapping[str, str], *, expected: bool, internal: Sequence[str] = ()
) -> tuple[Reading, int]:
    """One page and the query's total. arXiv answers some existing pages with an empty feed: another try helps."""

    def check(body: bytes) -> None:
        root = xml_document.parse(body)
        if isinstance(root, str):
            raise http.UnexpectedAnswerError(root, retryable=True)
        if not arxiv.recognises(root):
            raise http.UnexpectedAnswerError("the answer is not arXiv's")
        if not len(root.findall("{*}entry")) and (expected or arxiv.total(root)):
            raise http.UnexpectedAnswerError("arXiv answered with an empty page", retryable=True)

    root = xml_document.parse(http.get(client, url, params=params, check=check, internal=internal))
    assert not isinstance(root, str)  # noqa: S101  checked above
    return arxiv.read(root), arxiv.total(root)


def _document(body: bytes) -> str | None:
    unpacked = content.unpack(body)
    return None if isinstance(unpacked, str) else content.decode(unpacked)


def _usable(reading: Reading | str | None, address: str) -> Reading:
    if reading is None or isinstance(reading, str):
        why = reading or "the answer is not text in UTF-8"
        raise DigestError("cannot read the answer of", which=address, why=why, do="Look at the address in a browser")
    return reading
