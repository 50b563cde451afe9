"""Letters in the browser: whose, whole, and with nothing that could run."""

from __future__ import annotations

import re

import pytest

from newsletter.pipeline.links import letter_links, link_keys
from newsletter.pipeline.links import preferences_link
from newsletter.store import letters as frozen

BASE = "https://papers.example.org"


def sent(site, name: str = "ada"):
    return frozen.frozen_letters(site.workspace.engine, "daily/2025-05-27")[name]


@pytest.fixture
def view(site) -> str:
    """Where ada's letter of 27 May is in the browser."""
    keys = link_keys(site.workspace.settings, site.workspace.key)
    return letter_links(BASE, keys, sent(site), key=site.workspace.key, at=site.clock()).view.removeprefix(BASE)


def test_the_letter_is_shown_as_it_was_frozen(site, view):
    letter, answer = sent(site), site.client.get(view)
    assert answer.status_code == 200
    for entry in letter.top:
        assert entry.title.split("&")[0][:30] in answer.text
    assert "The themes of this letter" in answer.text
    assert "editions/2025-05-27" in answer.text
    assert "script" not in answer.headers["content-security-policy"]


def test_the_list_leads_to_the_letters(site):
    link = preferences_link(site.workspace, "ada", "ada@example.org", at=site.clock()).removeprefix(BASE)
    text = site.client.get(f"{link}/letters").text
    (found,) = re.findall(r'href="(/l/[^"]+)"', text)
    assert site.client.get(found).status_code == 200
