"""Theme names by a language model: two to four plain words, or none."""

from __future__ import annotations

import json

import pytest

from newsletter.writer import Group, Run, name_themes, open_client

GROUPS = [
    Group(f"t{n}", "Cache Compression", "" if n else "KV Caches", ("cache", "memory"), ("A Title", "Another"))
    for n in range(2)
]


def names(model, groups=GROUPS):
    run = Run(10.0)
    with open_client(model.endpoint) as client:
        return name_themes(client, model.endpoint, groups, run), run


def test_themes_are_shown_with_what_they_were_called_and_named_by_number(model):
    model.answer = lambda _data: {"names": {"1": "KV-Cache Compression", "2": "Long-Context Memory"}}
    assert names(model)[0] == {"t0": "KV-Cache Compression", "t1": "Long-Context Memory"}
    shown = json.loads(model.questions[0]["messages"][1]["content"])["themes"]
    assert shown["1"]["before"] == "KV Caches"
    assert "before" not in shown["2"]


@pytest.mark.parametrize(
    "name",
    [
        "Compression",
        "One Two Three Four Five", "<b>Video</b> Models", "Video https://x.org", "Video: Models", "", None,
        7, "Video\u202e Models!", "{{ video }} models", "W" * 40 + " " + "V" * 40, "evil.example/x Models", "-- Video",
    ],
)  # fmt: skip
def test_what_is_no_name_is_left_out(model, name):
    model.answer = lambda _data: {"names": {"1": name, "2": "GPT-4.5 Agents"}}
    assert names(model)[0] == {"t1": "GPT-4.5 Agents"}


@pytest.mark.parametrize("answer", [{}, {"names": ["a b", "c d"]}, {"names": None}, "no", {"t0": "Video Models"}])
def test_an_answer_without_names_names_nothing(model, answer):
    model.answer = lambda _data: answer
    found, run = names(model)
    assert found == {}
    assert run.why


def test_many_themes_are_asked_about_in_parts(model):
    model.answer = lambda data: {"names": {number: f"Theme Number{number}" for number in data["themes"]}}
    many = [Group(f"t{n}", "p", "", (), ()) for n in range(65)]
    assert len(names(model, many)[0]) == 65
    assert [len(json.loads(q["messages"][1]["content"])["themes"]) for q in model.questions] == [
        30,
        30,
        5,
    ]
