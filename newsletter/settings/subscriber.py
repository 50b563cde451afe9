"""The document of one subscriber, and what becomes of it: a frozen `Subscriber`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from newsletter.model import Interest, Profile, Subscriber
from newsletter.settings.document import Document
from newsletter.settings.fields import Address, Clock, Day, Days, Language, PaperId, SendDays, Sentence, Text, Timezone
from newsletter.settings.reading import Loc

# Everything below these keys is text: the arXiv id 2405.10500 is no number, and `no` is a word.
TEXT_KEYS = frozenset({"avoid", "likes", "dislikes", "authors", "keywords", "language", "name"})
LANGUAGES = frozenset({"en", "de", "fr", "es", "zh", "ja", "ar"})  # the letter's translations


class InterestDocument(Document):
    """An interest with a weight."""

    text: Sentence = Field(
        description="What you want to read about, in your own words.", examples=["data selection for pretraining"]
    )
    weight: float = Field(
        default=1.0,
        ge=0,
        le=100,
        description="How much it counts beside the others: 2 is twice as much, 0 switches it off.",
        examples=[2, 0.5],
    )


class FollowDocument(Document):
    """Exact matches that always count."""

    authors: list[Text] = Field(
        default=[], max_length=1000, description="Authors whose every paper you want to see.", examples=[["Jimmy Lin"]]
    )
    keywords: list[Text] = Field(
        default=[], max_length=1000, description="Words that must stand in title or abstract.", examples=[["HNSW"]]
    )


def _shape(value: object) -> str:
    return "text" if isinstance(value, str | int | float) else "weighted"


OneInterest = Annotated[
    Annotated[Sentence, Tag("text")] | Annotated[InterestDocument, Tag("weighted")], Discriminator(_shape)
]
Interests = Annotated[list[OneInterest], Field(max_length=200)]


def _grouping(value: object) -> str:
    return "groups" if isinstance(value, dict) else "list"


class SubscriberDocument(Document):
    """One subscriber of the newsletter: a file in config/subscribers, named after the reader."""

    email: Address = Field(description="Where the letters go.", examples=["ada@example.org"])
    name: Text = Field(
        default="", validate_default=False, description="How the letter greets the reader.", examples=["Ada"]
    )
    timezone: Timezone | None = Field(
        default=None,
        description="The reader's IANA timezone; left out, the newsletter's own.",
        examples=["Europe/London", "America/Los_Angeles"],
    )
    send_at: Clock = Field(
        default="07:00",
        validate_default=True,
        description="When the letter is sent, in the reader's timezone.",
        examples=["07:30"],
    )
    days: SendDays = Field(
        default="daily",
        validate_default=True,
        description="daily, weekdays, [mon, wed], or {weekly: monday} for one letter that gathers the week.",
        examples=["weekdays", ["mon", "wed"], {"weekly": "monday"}],
    )
    papers: int = Field(default=12, ge=1, le=100, description="The most papers in one letter.", examples=[12])
    interests: Annotated[
        Annotated[Interests, Tag("list")] | Annotated[dict[Text, Interests], Tag("groups")], Discriminator(_grouping)
    ] = Field(
        default=[],
        description="What the reader wants, one sentence each, with weights where some matter more; or groups by name.",
        examples=[["approximate nearest neighbour search", {"text": "data selection for pretraining", "weight": 2}]],
    )
    avoid: list[Sentence] = Field(
        default=[], max_length=200, description="What the reader does not want.", examples=[["medical imaging"]]
    )
    likes: list[PaperId] = Field(
        default=[],
        max_length=20_000,
        description="Papers the reader liked: arXiv ids or URLs, or DOIs.",
        examples=[["arxiv:2405.19504"]],
    )
    dislikes: list[PaperId] = Field(
        default=[],
        max_length=20_000,
        description="Papers the reader did not like.",
        examples=[["https://arxiv.org/abs/2406.01234"]],
    )
    follow: FollowDocument = Field(
        default=FollowDocument(), description="Authors and keywords that count wherever they stand."
    )
    trending: float = Field(
        default=0.3,
        ge=0,
        le=1,
        description="From 0, the reader's interests alone, to 1, what everyone reads.",
        examples=[0.3],
    )
    explore: int = Field(
        default=1, ge=0, le=10, description="How many papers are openly a step outside the interests; 0 for none."
    )
    quiet_days: Literal["send", "skip"] = Field(
        default="send", description="On a day with little that fits: send a short letter, or skip the day."
    )
    language: Language = Field(
        default="en", description="The language of the letter around the papers.", examples=["en", "de", "fr", "ja"]
    )
    text_only: bool = Field(default=False, description="true: plain text alone, without HTML and pictures.")
    pause_until: Day | None = Field(
        default=None, description="No letters before this day; the first comes on it.", examples=["2025-04-22"]
    )


def interests_of(document: SubscriberDocument) -> Iterator[tuple[Loc, Interest]]:
    """Every interest with its place in the document, those of weight 0 too."""
    groups = document.interests.items() if isinstance(document.interests, dict) else [("", document.interests)]
    for group, items in groups:
        for index, item in enumerate(items):
            text, weight = (item, 1.0) if isinstance(item, str) else (item.text, float(item.weight))
            yield ("interests", *((group,) if group else ()), index), Interest(text, weight, group)


def subscriber(name: str, document: SubscriberDocument, timezone: str) -> Subscriber:
    """The frozen subscriber `name`; `timezone` is the newsletter's own, for readers who name none."""
    days: Days = document.days
    return Subscriber(
        name=name,
        email=document.email,
        profile=_profile(document),
        display_name=document.name,
        timezone=document.timezone or timezone,
        send_at=document.send_at,
        days=days.weekdays,
        weekly=days.weekly,
        language=document.language,
        text_only=document.text_only,
        paused_until=document.pause_until,
    )


def _profile(document: SubscriberDocument) -> Profile:
    return Profile(
        interests=tuple(interest for _, interest in interests_of(document) if interest.weight > 0),
        avoid=tuple(dict.fromkeys(document.avoid)),
        likes=tuple(dict.fromkeys(document.likes)),
        dislikes=tuple(dict.fromkeys(document.dislikes)),
        follow_authors=tuple(dict.fromkeys(document.follow.authors)),
        follow_keywords=tuple(dict.fromkeys(document.follow.keywords)),
        trending=float(document.trending),
        papers=document.papers,
        explore=document.explore,
        quiet_days=document.quiet_days,
    )


def warnings(document: SubscriberDocument) -> Iterator[tuple[Loc, str]]:
    """What is allowed and probably not meant, each with its place."""
    first: dict[str, Any] = {}
    for loc, interest in interests_of(document):
        if interest.weight == 0:
            yield loc, "weight 0 switches this interest off"
        if first.setdefault(interest.text.casefold(), loc) != loc:
            yield loc, "the same interest stands here twice; give it a weight instead"
    for index, text in enumerate(document.avoid):
        if text.casefold() in first:
            yield ("avoid", index), f"{text[:60]!r} is also an interest; the two cancel each other"
    for index, paper in enumerate(document.dislikes):
        if paper in document.likes:
            yield ("dislikes", index), f"{paper} is also among the likes"
    if document.language.split("-")[0].casefold() not in LANGUAGES:
        yield ("language",), f"no translation for {document.language!r} yet; the letter falls back to English"
    wants = [1 for _, interest in interests_of(document) if interest.weight > 0]
    if not (wants or document.likes or document.follow.authors or document.follow.keywords or document.trending == 1):
        yield ("interests",), "no interests, likes or follows: the letter holds what is trending, for everyone the same"
