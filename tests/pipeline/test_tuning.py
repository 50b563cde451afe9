"""What a signal is worth: what is lost without it, on what readers said of letters that they were sent."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa

from newsletter import pipeline
from newsletter.model import Digest, Paper
from newsletter.pipeline import tuning
from newsletter.store import archive
from newsletter.store.feedback import Feedback, Shown, record_feedback, shown
from newsletter.store.tables import DELIVERIES, DELIVERY_PAPERS

FIRST = date(2025, 3, 3)
TOPICS = ("graph retrieval", "video diffusion", "protein folding", "speech recognition")


def _digest(day: date) -> Digest:
    papers = [
        Paper(
            f"arxiv:{day:%y%m}.{day.day:02}{n:03}", f"Study {n}: {TOPICS[n % 4]} in practice",
            f"We study {TOPICS[n % 4]} by method {n} of {day}. It improves {TOPICS[n % 4]} by {n} percent.",
            upvotes=(n * 7) % 11, published=day,
        )
        for n in range(12)
    ]  # fmt: skip
    return Digest("page", day, tuple(papers))


def _send(workspace, reader: str, day: date, papers: tuple[Paper, ...], state: str = "sent") -> None:
    with workspace.engine.begin() as connection:
        noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
        row = connection.execute(
            sa.insert(DELIVERIES).values(
                edition=f"daily/{day}", subscriber=reader, email=f"{reader}@example.org", address="h", state=state,
                attempts=1, planned_at=noon, changed_at=noon,
            )
        )  # fmt: skip
        (number,) = row.inserted_primary_key
        connection.execute(sa.insert(DELIVERY_PAPERS), [{"delivery": number, "paper": p.id} for p in papers])


def _say(workspace, reader: str, paper: Paper, kind: str, day: date) -> None:
    at = datetime(day.year, day.month, day.day, 18, tzinfo=UTC)
    record_feedback(workspace.engine, Feedback(reader, paper.id, kind, at))


def _letters(workspace, days: int, wanted: str) -> None:
    """Ada, sent everything of each day, saves what is about `wanted`."""
    for n in range(days):
        day = FIRST + timedelta(days=n)
        digest = _digest(day)
        archive.add_digest(workspace.engine, digest)
        _send(workspace, "ada", day, digest.papers)
        for paper in digest.papers:
            if wanted in paper.title:
                _say(workspace, "ada", paper, "save", day)


def test_too_little_feedback_is_said_and_nothing_is_told(desk):
    with desk.open() as workspace:
        assert pipeline.tune(workspace) == tuning.Tuning(0, 0, 0, 0, pytest.approx(float("nan"), nan_ok=True), ())
        _letters(workspace, 3, "graph retrieval")
        told = pipeline.tune(workspace)
    assert (told.letters, told.readers, told.pairs, told.signals) == (3, 1, 3 * 3 * 9, ())


@pytest.mark.slow
def test_the_signal_that_readers_follow_is_worth_most(desk):
    """Ada says nothing of likes, follows or avoids: they are worth exactly nothing."""
    desk.subscriber("ada", "email: ada@example.org\ninterests: [graph retrieval]\ntrending: 0.3\n")
    with desk.open() as workspace:
        _letters(workspace, tuning.FEWEST, "graph retrieval")
        with workspace.engine.begin() as connection:  # only what is in the profile is to count
            connection.execute(sa.text("UPDATE feedback SET kind = 'click'"))
        told = pipeline.tune(workspace)
    worth = {signal.name: signal for signal in told.signals}
    assert told.letters == tuning.FEWEST
    assert told.right > 0.9
    assert told.signals[0].name == "interests"
    assert worth["interests"].worth > 0.2
    assert worth["interests"].told_apart
    for name in ("likes", "authors", "keywords", "avoid"):
        assert (worth[name].worth, worth[name].low, worth[name].high) == (0, 0, 0)
        assert not worth[name].told_apart


def test_a_paper_does_not_prove_itself(desk):
    """What is said of a letter's papers, or later than it, is not in the profile that ranks them."""
    with desk.open() as workspace:
        ada = pipeline.find_subscriber(workspace, "ada")
        days = [FIRST + timedelta(days=n) for n in range(3)]
        said = [
            Feedback("ada", f"arxiv:{n}", "save", datetime(d.year, d.month, d.day, 18, tzinfo=UTC))
            for n, d in enumerate(days)
        ]
        answer = tuning.Answer("ada", days[1], frozenset({"arxiv:1"}), frozenset({"arxiv:9"}))
        assert tuning._as_of(ada, answer, said).likes == ("arxiv:0",)


def test_only_letters_that_went_out_to_people_who_answered_count(desk):
    with desk.open() as workspace:
        digest = _digest(FIRST)
        archive.add_digest(workspace.engine, digest)
        one, two = digest.papers[:2]
        for reader, state in (("ada", "sent"), ("bob", "planned"), ("eve", "sent")):
            _send(workspace, reader, FIRST, (one, two), state)
        for reader in ("ada", "bob"):
            _say(workspace, reader, one, "more", FIRST)
        assert shown(workspace.engine, ["ada", "bob", "eve"]) == [Shown("ada", f"daily/{FIRST}", (one.id, two.id))]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({}, None),
        ({"a": "more"}, ({"a"}, {"b", "c"})),
        ({"a": "click", "b": "less"}, ({"a"}, {"b", "c"})),
        ({"a": "save", "b": "more", "c": "click"}, None),
        ({"b": "less"}, None),
        ({"other": "more"}, None),
    ],
)
def test_an_answer_is_a_paper_that_was_wanted_and_one_that_was_passed_over(said, expected):
    moment = datetime(2025, 3, 3, tzinfo=UTC)
    letter = Shown("ada", "daily/2025-03-03", ("a", "b", "c"))
    answer = tuning._answer(letter, [Feedback("ada", paper, kind, moment) for paper, kind in said.items()])
    assert (answer and (set(answer.wanted), set(answer.passed))) == expected
