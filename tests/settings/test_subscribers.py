"""What a subscriber's document may say, what it becomes, and the words for everything else."""

# ruff: noqa: E501  a mistake and its message stand in one line each

from __future__ import annotations

import json
import os
from datetime import date, time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.model import Interest, Profile, Subscriber
from newsletter.settings import load_settings, load_subscribers, read_subscriber
from newsletter.settings.subscriber import SubscriberDocument

EMAIL = "email: ada@example.org\ntrending: 1\n"  # a reader of trending papers needs no interests
FULL = """\
email: Ada@Example.ORG
name: "  Ada\\r\\nBcc: x@example.org "
timezone: Europe/London
send_at: 07:30
days: {weekly: Mon}
papers: 5
interests:
  - approximate   nearest neighbour search
  - {text: data selection, weight: 2}
  - {text: old love, weight: 0}
avoid: [medical imaging]
likes: [2405.10500, "https://arxiv.org/abs/2405.19504v2", doi:10.1145/3580305.3599999]
dislikes: [arxiv:2406.00001]
follow: {authors: [Jimmy Lin], keywords: [HNSW, 2025]}
trending: 1
explore: 0
quiet_days: skip
language: pt_BR
text_only: true
pause_until: 2025-04-01
"""


def subscriber(text: str) -> Subscriber:
    found, problems = read_subscriber("ada", text.encode(), "ada.yaml")
    assert found is not None, problems
    return found


def test_a_document_becomes_a_frozen_subscriber() -> None:
    assert subscriber(FULL) == Subscriber(
        name="ada",
        email="Ada@example.org",
        display_name="Ada Bcc: x@example.org",
        timezone="Europe/London",
        send_at=time(7, 30),
        days=frozenset({1}),
        weekly=True,
        language="pt-BR",
        text_only=True,
        paused_until=date(2025, 4, 1),
        profile=Profile(
            interests=(Interest("approximate nearest neighbour search"), Interest("data selection", 2.0)),
            avoid=("medical imaging",),
            likes=("arxiv:2405.10500", "arxiv:2405.19504", "doi:10.1145/3580305.3599999"),
            dislikes=("arxiv:2406.00001",),
            follow_authors=("Jimmy Lin",),
            follow_keywords=("HNSW", "2025"),
            trending=1.0,
            papers=5,
            explore=0,
            quiet_days="skip",
        ),
    )


def test_an_address_alone_is_enough_and_the_rest_is_the_model_s_default() -> None:
    assert subscriber("email: ada@example.org\n") == Subscriber("ada", "ada@example.org", Profile())


def test_interests_may_be_grouped_by_name() -> None:
    grouped = subscriber(
        "email: a@example.org\ninterests:\n  Search: [HNSW, {text: ANN, weight: 2}]\n  Data: [selection]\n"
    )
    assert grouped.profile.interests == (
        Interest("HNSW", 1.0, "Search"),
        Interest("ANN", 2.0, "Search"),
        Interest("selection", 1.0, "Data"),
    )


@pytest.mark.parametrize(
    ("days", "weekdays", "weekly"),
    [
        ("daily", {1, 2, 3, 4, 5, 6, 7}, False),
        ("weekdays", {1, 2, 3, 4, 5}, False),
        ("[mon, Wednesday, FRI]", {1, 3, 5}, False),
        ("sunday", {7}, False),
        ("{weekly: monday}", {1}, True),
        ('"weekly: monday"', {1}, True),
        ("\n  weekly: sat", {6}, True),
    ],
)
def test_days_as_people_write_them(days: str, weekdays: set[int], weekly: bool) -> None:
    found = subscriber(f"email: a@example.org\ndays: {days}\n")
    assert (found.days, found.weekly) == (weekdays, weekly)


@pytest.mark.parametrize("written", ["07:30", '"07:30"', "'7:30'", "07:30:00"])
def test_a_send_time_needs_no_quotes(written: str) -> None:
    assert subscriber(f"email: a@example.org\nsend_at: {written}\n").send_at == time(7, 30)


def test_the_newsletter_s_timezone_is_that_of_readers_who_name_none(config: Path) -> None:
    (config / "newsletter.yaml").write_text("from: p@example.org\nschedule: {timezone: Asia/Tokyo}\n", encoding="utf-8")
    (config / "subscribers" / "ada.yaml").write_text("email: ada@example.org\n", encoding="utf-8")
    assert load_subscribers(config, load_settings(config, {})).subscribers[0].timezone == "Asia/Tokyo"


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("intrests: [x]", "3:1: unknown key 'intrests': did you mean 'interests'?"),
        ("Interests: [x]", "3:1: unknown key 'Interests': did you mean 'interests'?"),
        ("interests: [{text: x, wieght: 2}]", "3:23: unknown key 'wieght': did you mean 'weight'?"),
        ("interests: {Group: [{text: x, wieght: 2}]}", "3:31: unknown key 'wieght': did you mean 'weight'?"),
        ("interests: [{weight: 2}]", "3:13: interests[1] needs the key 'text'"),
        ("follow: {author: [x]}", "3:10: unknown key 'author': did you mean 'authors'?"),
        ("interests: hashing", "3:12: interests must be a list, not text"),
        ("interests: {Search: hashing}", "3:21: interests.Search must be a list, not text"),
        ("interests: [42]", "3:13: interests[1] must be text, not a number; put it in quotes"),
        ("interests: [[x]]", "3:13: interests[1] must be a map of keys, not a list"),
        ("interests: [' ']", "3:13: interests[1]: must not be empty"),
        ("interests:\n  -\n", "4:4: interests[1]: there is nothing here; write a value, or remove it"),
        (
            "interests: [{text: x, weight: -1}]",
            "3:31: interests[1].weight must not be negative; put the text under 'avoid' to see less of it",
        ),
        ("interests: [{text: x, weight: 1e9}]", "3:31: interests[1].weight must be at most 100"),
        ("interests: [{text: x, weight: .inf}]", "3:31: interests[1].weight must be a finite number"),
        (
            "interests: [{text: x, weight: heavy}]",
            "3:31: interests[1].weight must be a number, not text; write it without quotes and in digits",
        ),
        (
            f"interests: [{'x' * 10_000}]",
            "3:13: interests[1]: 10,000 characters; at most 2,000. Write one sentence for each interest; papers: likes",
        ),
        (f"interests: [{', '.join(f'i{n}' for n in range(201))}]", "3:12: interests holds 201 entries; at most 200"),
        ("papers: 0", "3:9: papers must be at least 1"),
        ("papers: 101", "3:9: papers must be at most 100"),
        ("papers: '12'", "3:9: papers must be a whole number, not text; write it without quotes and in digits"),
        ("papers: 1.5", "3:9: papers must be a whole number, not a number"),
        ("papers: true", "3:9: papers must be a whole number, not true or false"),
        ("papers:", "3:1: papers: there is nothing here; write a value, or remove it"),
        ("explore: -1", "3:10: explore must be at least 0"),
        ("quiet_days: sent", "3:13: quiet_days must be send or skip: did you mean 'send'?"),
        ("text_only: yes", "3:12: text_only must be true or false, not text"),
        ("timezone: Europe/Lodnon", "3:11: timezone: unknown timezone 'Europe/Lodnon': did you mean 'Europe/London'?"),
        ("timezone: london", "3:11: timezone: unknown timezone 'london': did you mean 'Europe/London'?"),
        ("timezone: new york", "3:11: timezone: unknown timezone 'new york': did you mean 'America/New_York'?"),
        (
            "timezone: ../../etc/passwd",
            "3:11: timezone: unknown timezone '../../etc/passwd': name one like Europe/London or UTC",
        ),
        ("send_at: 730", '3:10: send_at: not a time of day; write hours and minutes in quotes: "07:30"'),
        ("send_at: 24:00", '3:10: send_at: not a time of day; the day runs from "00:00" to "23:59"'),
        ("days: weekdais", "3:7: days: unknown 'weekdais': did you mean 'weekdays'?"),
        ("days: weekly", "3:7: days: write daily, weekdays, {weekly: monday} or [mon, wed]"),
        ("days: []", "3:7: days: write daily, weekdays, {weekly: monday} or [mon, wed]"),
        ("days: [mon, tusday]", "3:7: days: unknown day 'tusday': did you mean 'tuesday'?"),
        (
            "days: weekly: monday",
            "3:13: not YAML: ': ' where none can stand; check the indentation, or put the value in quotes (or in { }: {weekly: monday})",
        ),
        ("likes: arxiv:2405.19504", "3:8: likes must be a list, not text"),
        (
            "likes: [attention]",
            "3:9: likes[1]: not a paper id: 'attention'; write an arXiv id or URL (arxiv:2405.19504) or a DOI (doi:10.1145/1)",
        ),
        ("pause_until: next week", "3:14: pause_until: not a date; write year-month-day: 2025-03-31"),
        (
            "language: plain english",
            "3:11: language: not a language: 'plain english'; write a code such as en, de or pt-BR",
        ),
        ("name: [a]", "3:7: name must be text, not a list"),
    ],
)
def test_every_mistake_is_named_at_its_place(problems_of, line: str, problem: str) -> None:
    assert problems_of(EMAIL + line) == [problem]
    assert read_subscriber("ada", (EMAIL + line).encode(), "ada.yaml")[0] is None


@pytest.mark.parametrize("trending", ["-0.1", "1.5", ".nan", "lots"])
def test_trending_is_a_number_from_0_to_1(problems_of, trending: str) -> None:
    assert len(problems_of(f"email: a@example.org\ntrending: {trending}\n")) == 1


@pytest.mark.parametrize(
    "address",
    ["ada", "ada@", '"@example.org"', "ada@example", "a b@example.org", "ada@@example.org", "ada@exa mple.org", "ada@-x.org",
     '"user@x> AUTH=<"',      '"a@example.org\\r\\nBcc: b@example.org"', '"a@example.org\\0"', '"a@exam\\u2028ple.org"', "Ada <ada@example.org>",
     "ada@example.org.", "42", f"{'x' * 65}@example.org"],
)  # fmt: skip
def test_a_bad_address_is_refused(problems_of, address: str) -> None:
    (problem,) = problems_of(f"email: {address}\ntrending: 1\n")
    assert problem.startswith("1:8: email")


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("interests: [a, {text: b, weight: 0}]", "3:16: warning: weight 0 switches this interest off"),
        ("interests: [a, A]", "3:16: warning: the same interest stands here twice; give it a weight instead"),
        (
            "interests: [Hashing]\navoid: [hashing]",
            "4:9: warning: 'hashing' is also an interest; the two cancel each other",
        ),
        (
            "likes: [2405.19504]\ndislikes: [arxiv:2405.19504v3]",
            "4:12: warning: arxiv:2405.19504 is also among the likes",
        ),
        ("language: xx", "3:11: warning: no translation for 'xx' yet; the letter falls back to English"),
    ],
)
def test_what_is_probably_not_meant_is_a_warning_and_no_obstacle(problems_of, line: str, problem: str) -> None:
    assert problems_of(EMAIL + line) == [problem]
    assert read_subscriber("ada", (EMAIL + line).encode(), "ada.yaml")[0] is not None


def test_no_interests_at_all_is_a_warning(problems_of) -> None:
    (problem,) = problems_of("email: ada@example.org\navoid: [x]\n")
    assert "no interests, likes or follows" in problem


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_no_bytes_at_all_can_raise(data: bytes) -> None:
    found, problems = read_subscriber("ada", data, "ada.yaml")
    assert found is not None or problems


@given(
    st.dictionaries(
        st.sampled_from(sorted(SubscriberDocument.model_fields)) | st.text(max_size=8),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(st.sampled_from(["text", "weight", "weekly", "x"]), inner, max_size=3)
            ),
            max_leaves=6,
        ),
        max_size=6,
    )
)
@settings(max_examples=300)
def test_no_document_at_all_can_raise_and_every_error_has_a_place(document: dict) -> None:
    found, problems = read_subscriber("ada", json.dumps(document).encode(), "ada.yaml")
    assert found is not None or problems
    assert all(problem.line >= 1 and problem.column >= 1 for problem in problems)


def test_five_thousand_likes_are_welcome() -> None:
    likes = "".join(f"  - 2405.{n:05d}\n" for n in range(5000))
    assert len(subscriber(f"email: a@example.org\nlikes:\n{likes}").profile.likes) == 5000


def test_all_problems_of_one_file_come_at_once(problems_of) -> None:
    found = problems_of("email: nobody\npapers: 0\nweigth: 2\nemail: x@example.org\ndays: never\n")
    assert [problem.partition(": ")[0] for problem in found] == ["1:8", "2:9", "3:1", "4:1", "5:7"]


def test_a_bad_file_leaves_the_others_their_letters(with_subscribers) -> None:
    found = with_subscribers(
        ada=EMAIL, bob="email: [", carl="", dora=b"\xff\xfe", emil="- a\n", fritz="email: f@example.org\ntrending: 1\n"
    )
    assert [one.name for one in found.subscribers] == ["ada", "fritz"]
    assert {Path(problem.path).stem for problem in found.problems} == {"bob", "carl", "dora", "emil"}


def test_one_address_belongs_to_one_file_whatever_its_case_or_script(with_subscribers) -> None:
    found = with_subscribers(
        ada=EMAIL,
        bob="email: ADA@EXAMPLE.ORG\ntrending: 1\n",
        z1="email: z@münchen.example\ntrending: 1\n",
        z2="email: Z@xn--mnchen-3ya.example\ntrending: 1\n",
    )
    assert [one.name for one in found.subscribers] == ["ada", "z1"]
    first, second = found.problems
    assert str(first).endswith("ada.yaml:1:8 has it already, and keeps its letters")
    assert "bob.yaml:1:8: duplicate address ADA@example.org" in str(first)
    assert "z2.yaml:1:8: duplicate address" in str(second)


def test_which_files_are_subscribers(config: Path, with_subscribers) -> None:
    folder = config / "subscribers"
    for name in (".hidden.yaml", ".#ada.yaml", "#ada.yaml#", "ada.yaml~", ".ada.yaml.swp", "README.md", "ada.yaml.bak"):
        (folder / name).write_text("nonsense: [", encoding="utf-8")
    (folder / "team").mkdir()
    (folder / "eve.ymal").touch()
    (folder / "gone.yaml").symlink_to("nowhere")
    os.mkfifo(folder / "pipe.yaml")
    (folder / "two words.yaml").write_text("email: w@example.org\n", encoding="utf-8")
    found = with_subscribers(ada=EMAIL, bob__yml="email: bob@example.org\ntrending: 1\n")
    assert [one.name for one in found.subscribers] == ["ada", "bob"]
    assert [str(problem).removeprefix(f"{folder}/") for problem in found.problems] == [
        "eve.ymal: warning: not read: a subscriber's file ends with .yaml",
        "gone.yaml: cannot be read: No such file or directory",
        "pipe.yaml: not a file",
        "team: warning: a folder; subscribers in folders are not read",
        "two words.yaml: the name before .yaml is the subscriber's name; use letters, digits and . _ - + @ alone",
    ]


def test_a_name_belongs_to_one_file(with_subscribers) -> None:
    found = with_subscribers(ada=EMAIL, ada__yml="email: other@example.org\ntrending: 1\n")
    assert len(found.subscribers) == 1
    assert "the subscriber 'ada' is already in" in str(found.problems[0])


def test_a_file_of_over_a_megabyte_is_not_read(with_subscribers) -> None:
    found = with_subscribers(big=b"#" * 2_000_000)
    assert str(found.problems[0]).endswith("big.yaml: 2,000,000 bytes; a configuration file holds at most 1,000,000")


def test_an_empty_folder_or_none_is_said(config: Path) -> None:
    assert "no subscribers" in str(load_subscribers(config).problems[0])
    (config / "subscribers").rmdir()
    assert "no subscribers" in str(load_subscribers(config).problems[0])


def test_only_the_named_files_are_read_where_only_they_are_wanted(config: Path, with_subscribers) -> None:
    with_subscribers(ada=EMAIL, bob="email: [", carl="email: nobody\n")
    found = load_subscribers(config, only={"ada", "carl", "nobody"})
    assert [one.name for one in found.subscribers] == ["ada"]
    assert [Path(one.path).stem for one in found.problems] == ["carl"]


def test_only_what_has_changed_is_read_again(config: Path, with_subscribers) -> None:
    before = with_subscribers(ada=EMAIL, bob="email: bob@example.org\ntrending: 1\n", carl="email: nobody\n")
    (config / "subscribers" / "bob.yaml").write_text("email: robert@example.org\ntrending: 1\n", encoding="utf-8")
    after = load_subscribers(config, previous=before)
    assert [one.email for one in after.subscribers] == ["ada@example.org", "robert@example.org"]
    assert after.subscribers[0] is before.subscribers[0]
    assert after.problems == before.problems, "what was wrong is still said"
