"""The document tab: checked by the rules of `newsletter check`, saved by them, with the address left alone."""

from __future__ import annotations

import re

import pytest
from sent_forms import fields_of

from newsletter.pipeline.links import preferences_link

BASE = "https://papers.example.org"
TEXT = "# mine\nemail: ada@example.org  # work\ninterests:\n  - retrieval  # R\n"


@pytest.fixture
def where(site) -> str:
    """Where ada's document is."""
    (site.folder / "config" / "subscribers" / "ada.yaml").write_text(TEXT, "utf-8")
    link = preferences_link(site.workspace, "ada", "ada@example.org", at=site.clock()).removeprefix(BASE)
    return f"{link}/document"


def form(site, where: str, text: str | None = None) -> dict[str, list[str]]:
    fields = fields_of(site.client.get(where).text, where)
    return fields if text is None else fields | {"document": [text]}


def test_the_document_is_shown_and_saved_to_the_byte(site, where):
    assert form(site, where)["document"] == [TEXT]
    sent = form(site, where, TEXT.replace("\n", "\r\n"))  # as browsers send lines
    assert site.client.post(where, data=sent).status_code == 303
    assert site.document("ada") == TEXT
    new = "\n" + TEXT + "papers: 3 # few\n"
    answer = site.client.post(where, data=form(site, where, new))
    assert (answer.status_code, answer.headers["location"]) == (303, f"{where}?saved=yes")
    assert site.document("ada") == new
    assert form(site, where)["document"] == [new], "an empty first line stays"


@pytest.mark.parametrize(
    ("text", "at", "message"),
    [
        (TEXT + "papers: 0\n", (5, 9), "papers must be at least 1"),
        (TEXT + "pappers: 3\n", (5, 1), "did you mean"),
        (TEXT + "avoid: [x\n", (6, 1), "not YAML"),
        (TEXT + "name: !!python/name:os.system x\n", (5, 7), "the tag"),
        ("interests: []\n", (1, 1), "needs the key"),
        ("", (1, 1), "the file is empty"),
    ],
    ids=str,
)
def test_problems_are_told_with_line_and_column_and_nothing_is_saved(site, where, text, at, message):
    place = f'data-line="{at[0]}" data-column="{at[1]}"'
    fragment = site.client.post(f"{where}/check", data={"document": text}, headers={"X-Fragment": "yes"})
    assert fragment.status_code == 200
    assert "<html" not in fragment.text
    for answer in (fragment, site.client.post(where, data=form(site, where, text))):
        assert place in answer.text
        assert message in answer.text
    assert site.client.post(where, data=form(site, where, text)).status_code == 422
    assert site.document("ada") == TEXT


def test_without_a_script_the_check_answers_with_the_page(site, where):
    answer = site.client.post(f"{where}/check", data=form(site, where, TEXT + "papers: 0\n"))
    assert "<html" in answer.text
    assert "papers must be at least 1" in answer.text
    assert fields_of(answer.text, where)["document"] == [TEXT + "papers: 0\n"]
    assert site.document("ada") == TEXT


def test_the_address_stays(site, where):
    """The new one would have to be confirmed; and whether somebody has it is nobody's business."""
    for address in ("evil@example.org", "kenji@example.org"):
        text = TEXT.replace("ada@example.org", address)
        answer = site.client.post(where, data=form(site, where, text))
        assert answer.status_code == 422
        assert "cannot be changed here" in answer.text
        assert 'data-line="2" data-column="8"' in answer.text
        assert "duplicate" not in answer.text
    assert site.document("ada") == TEXT
    assert site.client.post(where, data=form(site, where, TEXT.replace("ada@", "Ada@"))).status_code == 303


def test_a_document_that_is_too_long_is_refused_here(site, where):
    text = TEXT + "# " + "x" * 200_000 + "\n"
    answer = site.client.post(where, data=form(site, where, text), files={})
    assert answer.status_code == 422
    assert "this page takes 200,000 at most" in answer.text
    assert site.client.post(where, data={"document": "x" * 300_000}).status_code == 413
    assert site.document("ada") == TEXT


def test_who_saves_second_is_told_and_keeps_what_they_typed(site, where):
    sent = form(site, where, TEXT + "papers: 3\n")
    (site.folder / "config" / "subscribers" / "ada.yaml").write_text(TEXT + "papers: 4\n", "utf-8")
    answer = site.client.post(where, data=sent)
    assert answer.status_code == 409
    assert "saved elsewhere" in answer.text
    kept = fields_of(answer.text, where)
    assert kept["document"] == [TEXT + "papers: 3\n"]
    assert site.document("ada") == TEXT + "papers: 4\n"
    assert site.client.post(where, data=kept).status_code == 303
    assert site.document("ada") == TEXT + "papers: 3\n"


def test_a_document_cannot_leave_its_field(site, where):
    text = TEXT + "# </textarea><script>alert(1)</script>\n"
    assert site.client.post(where, data=form(site, where, text)).status_code == 303
    page = site.client.get(where).text
    assert re.findall(r"<script[^>]*>alert", page) == []
    assert form(site, where)["document"] == [text]
