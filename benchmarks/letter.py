"""Milliseconds per letter: compose, render, both parts; by number of papers.

    python benchmarks/letter.py [--letters 500]

Readers share an edition, as they do in life: what depends on the paper alone is made once and kept, and the first
letter, which pays for it, is reported apart. Figures are medians of process time, which other programs do not disturb.
"""

from __future__ import annotations

import argparse
import statistics
import time
from datetime import date

from newsletter.letter import Imprint, Links, compose, load_templates, render
from newsletter.model import Edition, Interest, Momentum, Paper, Pick, Profile, Reason, Subscriber, Theme

ABSTRACT = (
    "Letters are read by people who have little time. However, most are long, and what matters stands at the end. In "
    "this paper, we propose way number {n}, which begins with the outcome and leaves out the rest. Its steps are few: "
    "first, the reader is asked what matters; second, sentences are weighed (cf. Fig. {n}); third, the best two are "
    "kept. Experiments with forty readers show that letters written in this way are finished {n} times as often. We "
    "will release our code at https://example.org/{n}."
)
HERE = "https://papers.example.org/letters/0123456789abcdef"


def paper(n: int) -> Paper:
    return Paper(
        id=f"arxiv:2503.{n:05d}",
        title=f"Short Letters {n}: How Little Writing Is Enough for Reader {n}",
        abstract=ABSTRACT.format(n=n),
        authors=tuple(f"Given{k} Family{n}" for k in range(8)),
        url=f"https://arxiv.org/abs/2503.{n:05d}",
        pdf=f"https://arxiv.org/pdf/2503.{n:05d}",
        code=f"https://github.com/example/letters-{n}" if n % 3 == 0 else "",
        upvotes=n,
    )


def edition_of(count: int) -> tuple[Edition, list[Pick]]:
    papers = tuple(paper(n) for n in range(1, count + 1))
    themes = tuple(
        Theme(
            f"t{k}",
            f"Theme number {k}",
            ("word",),
            tuple(p.id for p in papers[k::6]),
            Momentum("rising", 2.1, 1.4, 3.0, tuple(range(60))),
        )
        for k in range(6)
    )
    reasons = (
        Reason("interest", "ways of writing letters", 0.6, ("letters", "readers")),
        Reason("author", "Ada Lovelace", 0.4),
    )
    kinds = ["pick"] * max(1, count - 3) + ["trending", "trending", "explore"]
    picks = [Pick(p, f"t{n % 6}", 1.0, {}, reasons, kinds[n]) for n, p in enumerate(papers)]
    return Edition("daily/2025-03-13", date(2025, 3, 13), papers, themes), picks


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--letters", type=int, default=500)
    letters = parser.parse_args().letters
    start = time.process_time()
    templates = load_templates()
    print(f"templates compiled in {1e3 * (time.process_time() - start):.0f} ms")
    reader = Subscriber("ada", "ada@example.org", Profile(interests=(Interest("letters"),)), display_name="Ada")
    links, imprint = (
        Links(HERE, HERE, HERE, HERE, HERE),
        Imprint("Trending papers", "1 Library Lane, London", "us@example.org"),
    )
    print("papers   compose    render      both     first  ms       html    text  bytes  not shown")
    for count in (1, 12, 50, 100, 200):
        edition, picks = edition_of(count)
        composing, rendering, both = list[float](), list[float](), list[float]()
        for _ in range(max(20, letters * 12 // max(12, count))):
            a = time.process_time()
            letter = compose(reader, edition, picks, total=count)
            b = time.process_time()
            rendered = render(templates, letter, links, imprint)
            c = time.process_time()
            composing.append(1e3 * (b - a))
            rendering.append(1e3 * (c - b))
            both.append(1e3 * (c - a))
        medians = [statistics.median(times) for times in (composing, rendering, both)]
        shown = " ".join(f"{value:9.3f}" for value in (*medians, both[0]))
        sizes = f"{len(rendered.html.encode()):9} {len(rendered.text.encode()):7}"
        print(f"{count:6} {shown}     {sizes}         {rendered.more}")


if __name__ == "__main__":
    main()
