"""The preferences: what may stand in them, what is written down, and that a document's comments survive them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sent_forms import fields_of

from newsletter.model import Interest
from newsletter.pipeline import roster
from newsletter.pipeline.links import preferences_link
from newsletter.settings import edited
from newsletter.settings.reading import read_tree
from newsletter.settings.subscriber import TEXT_KEYS
from newsletter.store import archive, ledger
from newsletter.text import tidy
from newsletter.web.preference_form import Row, Typed, changes, typed_of

BASE = "https://papers.example.org"
COMMENTED = """\
# Ada reads about retrieval.
email: ada@example.org   # work
name: Ada
timezone: Europe/London
send_at: "7:30"   # before breakfast
days: [mon, wed]  # not on Fridays
papers: 6
# what she wants
interests:
  # the old love
  - retrieval-augmented generation  # the main one
  - {text: efficient inference of language models, weight: 2}  # new
# and what she does not
avoid: [medical imaging]  # never
follow:
  authors:
    - Jimmy Lin  # Anserini
likes:
  - https://arxiv.org/abs/2505.19147v1  # tell me more
  - arxiv:2405.10500
trending: 0.2
# the end
"""
GROUPED = """\
email: ada@example.org
interests:
  Work:  # paid
    - retrieval  # R
  Fun:
    - {text: chess, weight: 0.5}
"""


def link_of(site, name: str = "ada") -> str:
    return preferences_link(site.workspace, name, f"{name}@example.org", at=site.clock()).removeprefix(BASE)


def write(site, text: str) -> None:
    (site.folder / "config" / "subscribers" / "ada.yaml").write_text(text, "utf-8")


def form(site, where: str) -> dict[str, list[str]]:
    """What a browser would send if nothing were changed."""
    return fields_of(site.client.get(where).text, where)


def lines(site, before: str) -> set[str]:
    """The lines of ada's document that went (``-``) and came (``+``)."""
    old, new = before.splitlines(), site.document("ada").splitlines()
    return {f"-{line}" for line in old if line not in new} | {f"+{line}" for line in new if line not in old}


@pytest.fixture
def ada(site) -> str:
    """Where the preferences of ada are, whose document is full of comments."""
    write(site, COMMENTED)
    return link_of(site)


def test_the_form_shows_the_document(site, ada):
    fields = form(site, ada)
    assert fields["interest"][:3] == ["retrieval-augmented generation", "efficient inference of language models", ""]
    assert fields["weight"][:2] == ["1", "2"]
    assert (fields["days"], fields["chosen"]) == (["chosen"], ["monday", "wednesday"])
    assert (fields["send_at"], fields["timezone"], fields["avoid"]) == (
        ["07:30"],
        ["Europe/London"],
        ["medical imaging"],
    )
    assert "Jimmy Lin" in fields["authors"]


@pytest.mark.parametrize("text", [COMMENTED, GROUPED, COMMENTED.replace("\n", "\r\n"), COMMENTED.rstrip()])
def test_saving_what_is_there_changes_no_byte(site, text):
    path = site.folder / "config" / "subscribers" / "ada.yaml"
    path.write_bytes(text.encode())
    answer = site.client.post(link_of(site), data=form(site, link_of(site)))
    assert (answer.status_code, answer.headers["location"]) == (303, f"{link_of(site)}?saved=yes")
    assert path.read_bytes() == text.encode()


@pytest.mark.parametrize(
    ("typed", "changed"),
    [
        (
            {"weight": ["3", "2"]},
            {
                "-  - retrieval-augmented generation  # the main one",
                "+  - {text: retrieval-augmented generation, weight: 3}  # the main one",
            },
        ),
        (
            {"weight": ["1", "0.5"]},
            {
                "-  - {text: efficient inference of language models, weight: 2}  # new",
                "+  - {text: efficient inference of language models, weight: 0.5}  # new",
            },
        ),
        ({"remove": ["0"]}, {"-  - retrieval-augmented generation  # the main one"}),
        ({"interest": ["retrieval-augmented generation", "", "graphs"]}, {"+  - graphs", "- x"}),
        ({"papers": "8"}, {"-papers: 6", "+papers: 8"}),
        ({"send_at": "08:05"}, {'-send_at: "7:30"   # before breakfast', '+send_at: "08:05"   # before breakfast'}),
        (
            {"chosen": ["monday", "friday"]},
            {"-days: [mon, wed]  # not on Fridays", "+days: [mon, fri]  # not on Fridays"},
        ),
        ({"days": "weekdays"}, {"-days: [mon, wed]  # not on Fridays", "+days: weekdays  # not on Fridays"}),
        (
            {"days": "weekly", "weekday": "friday"},
            {"-days: [mon, wed]  # not on Fridays", "+days: {weekly: friday}  # not on Fridays"},
        ),
        ({"timezone": ""}, {"-timezone: Europe/London"}),
        ({"name": "Ada L: x"}, {"-name: Ada", "+name: 'Ada L: x'"}),
        (
            {"avoid": "medical imaging\r\nsurveys\r\n\r\n"},
            {"-avoid: [medical imaging]  # never", "+avoid: [medical imaging, surveys]  # never"},
        ),
        ({"avoid": ""}, {"-avoid: [medical imaging]  # never", "+avoid: []  # never"}),
        ({"authors": "Jimmy Lin\nA B"}, {"+    - A B"}),
        ({"keywords": "HNSW"}, {"+  keywords:", "+    - HNSW"}),
        (
            {"unlike": ["https://arxiv.org/abs/2505.19147v1"]},
            {"-  - https://arxiv.org/abs/2505.19147v1  # tell me more"},
        ),
        ({"trending": "0.75"}, {"-trending: 0.2", "+trending: 0.75"}),
        (
            {"explore": "0", "quiet_days": "skip", "language": "de"},
            {"+explore: 0", "+quiet_days: skip", "+language: de"},
        ),
        ({"text_only": "yes", "pause_until": "2025-07-01"}, {"+text_only: true", "+pause_until: 2025-07-01"}),
    ],
    ids=lambda value: ",".join(value) if isinstance(value, dict) else "",
)  # fmt: skip
def test_only_the_lines_of_what_was_changed_change(site, ada, typed: dict[str, Any], changed: set[str]):
    fields = form(site, ada) | typed
    answer = site.client.post(ada, data=fields)
    assert answer.status_code == 303, answer.text
    if "- x" in changed:  # a new interest in the place of the last: the old line goes
        changed = {"+  - graphs  # new", "-  - {text: efficient inference of language models, weight: 2}  # new"}
    assert lines(site, COMMENTED) == changed


def test_groups_are_kept_and_changed_alone(site):
    write(site, GROUPED)
    where = link_of(site)
    fields = form(site, where)
    assert fields["group"][:2] == ["Work", "Fun"]
    fields["interest"][2], fields["group"][2] = "agents", "Work"
    assert site.client.post(where, data=fields).status_code == 303
    assert lines(site, GROUPED) == {"+    - agents"}
    reader = roster.reader_of(site.workspace, "ada")
    assert reader is not None
    assert reader.profile.interests == (
        Interest("retrieval", 1, "Work"),
        Interest("agents", 1, "Work"),
        Interest("chess", 0.5, "Fun"),
    )


@pytest.mark.parametrize(
    ("typed", "field", "message"),
    [
        ({"papers": "0"}, "papers", "Must be at least 1"),
        ({"papers": "many"}, "papers", "Must be a whole number"),
        ({"papers": ""}, "papers", "Must be a whole number"),
        ({"trending": "2"}, "trending", "Must be at most 1"),
        ({"explore": "11"}, "explore", "Must be at most 10"),
        ({"timezone": "Europe/Lundon"}, "timezone", "did you mean &#39;Europe/London&#39;?"),
        ({"send_at": "25:00"}, "send_at", "Not a time of day"),
        ({"days": "chosen", "chosen": []}, "days", "daily, weekdays"),
        ({"days": "sometimes"}, "days", "Write daily, weekdays"),
        ({"weight": ["-1", "2"]}, "weight-0", "Must not be negative"),
        ({"weight": ["1", "lots"]}, "weight-1", "Must be a number"),
        ({"weight": ["nan", "1e999"]}, "weight-1", "finite"),
        ({"interest": ["x" * 2001, "b"]}, "interest-0", "2,001 characters"),
        ({"avoid": "a\n" + "y" * 2001}, "avoid", "Line 2: 2,001 characters"),
        ({"authors": "A\n" + "y" * 201}, "authors", "Line 2"),
        ({"name": "y" * 201}, "name", "too long"),
        ({"pause_until": "soon"}, "pause_until", "Not a date"),
        ({"language": "klingonese!"}, "language", "Not a language"),
        ({"quiet_days": "maybe"}, "quiet_days", "Must be send or skip"),
    ],
    ids=lambda value: str(value)[:40],
)  # fmt: skip
def test_what_is_wrong_is_told_beside_its_field_and_nothing_is_saved(site, ada, typed, field, message):
    """Status 422, the message of `newsletter check` at the field, what was typed kept, the document as it was."""
    answer = site.client.post(ada, data=form(site, ada) | typed)
    assert answer.status_code == 422
    said = answer.text.split(f'id="{field}-wrong">')[1].split("</span>")[0]
    assert message in said
    assert f'href="#{ {"days": "days-daily", "quiet_days": "quiet-send"}.get(field, field) }"' in answer.text
    assert 'aria-invalid="true"' in answer.text
    kept = fields_of(answer.text, ada)
    for name in set(typed) - {"chosen", "weight", "days", "quiet_days", "interest"}:
        assert kept[name] == [typed[name]]
    assert site.document("ada") == COMMENTED


def test_what_is_allowed_and_odd_is_told_after_saving(site, ada):
    fields = form(site, ada) | {"avoid": "surveys\nRetrieval-augmented generation"}
    answer = site.client.post(ada, data=fields)
    assert answer.status_code == 303
    text = site.client.get(answer.headers["location"]).text
    assert "Saved." in text
    assert "is also an interest; the two cancel each other" in text.split('id="avoid-doubt">')[1]


def test_who_saves_second_is_told_and_keeps_what_they_typed(site, ada):
    fields = form(site, ada) | {"papers": "9"}
    write(site, COMMENTED.replace("trending: 0.2", "trending: 0.9"))
    answer = site.client.post(ada, data=fields)
    assert answer.status_code == 409
    assert "saved elsewhere" in answer.text
    assert "differs from what is saved in: papers, trending" in answer.text
    kept = fields_of(answer.text, ada)
    assert kept["papers"] == ["9"]
    assert "trending: 0.9" in site.document("ada")
    assert site.client.post(ada, data=kept).status_code == 303
    assert "papers: 9" in site.document("ada")


@pytest.mark.parametrize("where", ["folder", "database"])
def test_of_many_who_save_at_once_one_wins_and_the_others_know(make_site, where):
    site = make_site(settings="subscribers: database\n" if where == "database" else "")
    if where == "database":
        roster.add_subscriber(site.workspace, "ada", COMMENTED, now=site.clock())
    else:
        write(site, COMMENTED)
    link = link_of(site)
    fields = form(site, link)
    with ThreadPoolExecutor(6) as hands:
        sent = [hands.submit(site.client.post, link, data=fields | {"papers": str(n)}) for n in range(10, 16)]
        found = sorted(one.result().status_code for one in sent)
    assert found == [303, 409, 409, 409, 409, 409]
    document = roster.read_document(site.workspace, "ada")
    assert document is not None
    assert sum(f"papers: {n}\n" in document.text for n in range(10, 16)) == 1
    assert "# the main one" in document.text


HOSTILE = [
    "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{ 7 * 7 }}", "a: b", "- c", "# no comment",
    "!!python/object/apply:os.system [id]", "&anchor x", "*alias", "null", "yes", "2405.10500", "{a: b}", "[x", "'",
    '"', "a\nemail: evil@example.org", "\u202eevil", "%YAML 1.2", "--- x", "| x", "> x", "@x", "`x`", "~",
    "javascript:alert(1)", "x\x00y", "\ud800", "\u2028email: evil@example.org", "0x10", "1e3", "<<", "=", "...",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_whatever_is_typed_stays_text(site, ada, text):
    """No YAML comes of it, and no HTML: an interest, an author, a name, what is avoided, all of it."""
    fields = form(site, ada)
    said = text.encode("utf-8", "replace").decode()
    fields |= {"avoid": said, "authors": said, "keywords": said, "name": said}
    fields["interest"][2] = said
    answer = site.client.post(ada, data=fields)
    assert answer.status_code in (303, 422)
    page = site.client.get(ada).text
    for alive in ("<script>alert", "<img src=x", "{{ 7"):
        assert alive not in page.replace("{{ 7 * 7 }}", "")
    assert 'href="javascript:' not in page
    if answer.status_code == 303:
        reader = roster.reader_of(site.workspace, "ada")
        assert reader is not None
        assert reader.email == "ada@example.org"
        wanted = tidy(said)
        assert reader.profile.interests[2] == Interest(wanted)
        assert reader.display_name == wanted
        assert (
            set(map(tidy, said.splitlines())) - {""} == set(reader.profile.avoid) == set(reader.profile.follow_authors)
        )
        assert "# the main one" in site.document("ada")


TEXTS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=40).map(tidy).filter(bool)
ROWS = st.builds(Row, TEXTS, st.sampled_from(["1", "2", "0.5", "0", "100"]))


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=60)
@given(
    st.lists(ROWS, max_size=5), st.lists(TEXTS, max_size=4), st.sampled_from(["daily", "weekdays", "chosen", "weekly"])
)
def test_the_form_reads_back_what_it_wrote(rows, avoid, days):
    data = read_tree(COMMENTED.encode(), "", text_keys=TEXT_KEYS).data
    before = typed_of(data)
    typed = Typed(
        **{field: getattr(before, field) for field in Typed.__dataclass_fields__}
        | {"interests": tuple(rows), "avoid": "\n".join(avoid), "days": days, "chosen": frozenset({"sunday"})}
    )  # fmt: skip
    text = edited(COMMENTED, changes(data, typed))
    after = typed_of(read_tree(text.encode(), "", text_keys=TEXT_KEYS).data)
    assert after.interests == typed.interests
    assert after.avoid.splitlines() == avoid
    assert after.days == days
    assert "# what she wants" in text


def test_the_preview_shows_the_letter_of_what_is_typed_and_writes_nothing(site, ada):
    fields = form(site, ada)
    now = site.client.post(f"{ada}/preview", data=fields, headers={"X-Fragment": "yes"})
    fields["interest"][:2] = ["video generation with diffusion models", "robotics"]
    other = site.client.post(f"{ada}/preview", data=fields, headers={"X-Fragment": "yes"})
    assert now.status_code == other.status_code == 200
    assert "<html" not in other.text
    assert "Your letter of Tuesday, 27 May 2025" in other.text
    assert "robotics" in other.text
    assert "retrieval-augmented" not in other.text
    assert now.text != other.text
    assert site.document("ada") == COMMENTED
    whole = site.client.post(f"{ada}/preview", data=fields)
    assert "<html" in whole.text
    assert "Your letter of Tuesday" in whole.text
    assert fields_of(whole.text, ada)["interest"][:2] == ["video generation with diffusion models", "robotics"]


def test_the_preview_of_a_form_with_errors_says_so(site, ada):
    answer = site.client.post(f"{ada}/preview", data=form(site, ada) | {"papers": "0"}, headers={"X-Fragment": "yes"})
    assert "needs mending" in answer.text


def test_liked_papers_are_listed_by_title(site, ada):
    paper = next(iter(archive.papers_of_day(site.workspace.engine, site.clock().date())))
    write(site, COMMENTED.replace("arxiv:2405.10500", paper.id))
    text = site.client.get(ada).text
    assert paper.title.split("&")[0][:40] in text
    assert "Papers you liked: 2" in text


@pytest.mark.parametrize(
    ("sent", "line"),
    [({"weeks": "1"}, "2025-06-03"), ({"weeks": "4"}, "2025-06-24"), ({"until": "2025-12-31"}, "2025-12-31")],
)
def test_a_pause_is_one_button(site, ada, sent, line):
    answer = site.client.post(f"{ada}/pause", data=sent)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{ada}/pause")
    assert lines(site, COMMENTED) == {f"+pause_until: {line}"}
    assert "Start again now" in site.client.get(f"{ada}/pause").text
    assert "Paused:" in site.client.get(ada).text
    site.client.post(f"{ada}/pause", data={"again": "yes"})
    assert site.document("ada") == COMMENTED


@pytest.mark.parametrize(
    "sent", [{}, {"weeks": "3000"}, {"until": "2025-05-27"}, {"until": "x"}, {"until": "1999-01-01"}]
)
def test_a_pause_of_no_length_is_told(site, ada, sent):
    answer = site.client.post(f"{ada}/pause", data=sent)
    assert answer.status_code == 422
    assert "Name a day after today" in answer.text
    assert site.document("ada") == COMMENTED


def test_a_letter_that_waits_is_not_sent_to_who_pauses(site, ada):
    from newsletter import pipeline

    day = site.clock().date()
    pipeline.resend(site.workspace, day, "sent", at=site.clock())
    waiting = ledger.deliveries(site.workspace.engine, f"daily/{day}", "planned")
    assert {row.subscriber for row in waiting} == {"ada", "kenji"}
    site.client.post(f"{ada}/pause", data={"weeks": "1"})
    waiting = ledger.deliveries(site.workspace.engine, f"daily/{day}", "planned")
    assert {row.subscriber for row in waiting} == {"kenji"}


@pytest.mark.parametrize("where", ["", "/pause", "/document", "/letters", "/data", "/fresh"])
def test_looking_changes_nothing(site, ada, where):
    before = ledger.counts(site.workspace.engine, "daily/2025-05-27")
    for _ in range(2):
        site.client.get(ada + where)
    assert site.document("ada") == COMMENTED
    assert ledger.counts(site.workspace.engine, "daily/2025-05-27") == before
