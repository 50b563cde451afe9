"""The preferences: whose they are, what may stand in them, and that a document's comments survive them."""

from __future__ import annotations

import re

import pytest
from sent_forms import fields_of

from newsletter.pipeline.links import preferences_link


def address_of(site, name: str = "ada", email: str = "ada@example.org") -> str:
    return preferences_link(site.workspace, name, email, at=site.clock()).removeprefix("https://papers.example.org")


@pytest.fixture
def ada(site) -> str:
    """Where ada's preferences are."""
    return address_of(site)


def form(site, where: str) -> dict[str, list[str]]:
    """What a browser would send if nothing were changed."""
    return fields_of(site.client.get(where).text, where)


def test_the_form_shows_the_document(site, ada):
    fields = form(site, ada)
    assert fields["interest"][:2] == ["retrieval-augmented generation", "efficient inference of language models"]
    assert fields["weight"][:2] == ["1", "2"]
    assert fields["avoid"] == ["medical imaging"]


def test_saving_unchanged_changes_no_byte(site, ada):
    before = site.document("ada")
    answer = site.client.post(ada, data=form(site, ada))
    assert answer.status_code == 303
    assert site.document("ada") == before
