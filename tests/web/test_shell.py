"""What every page has: headers that protect it, an error page that says what to do, a style of our own."""

from __future__ import annotations

import re

import pytest


def test_a_page_that_is_not_there_says_so(site):
    answer = site.client.get("/nothing/here")
    assert answer.status_code == 404
    assert "There is nothing here" in answer.text
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["strict-transport-security"]


def test_every_asset_that_the_shell_names_is_ours_and_there(site):
    text = site.client.get("/nothing").text
    named = re.findall(r'(?:href|src)="([^"]+)"', text)
    assert [one for one in named if "://" in one] == []
    for one in named:
        if "static" in one or "favicon" in one:
            assert site.client.get(one).status_code == 200


@pytest.mark.parametrize("name", ["style.css", "page.js"])
def test_an_asset_of_another_version_is_not_kept(site, name):
    """Or a browser would keep the old style sheet for a year, had an old process answered beside new ones."""
    (now,) = set(re.findall(rf"/static/(\w+)/{re.escape(name)}", site.client.get("/nothing").text))
    kept, other = site.client.get(f"/static/{now}/{name}"), site.client.get(f"/static/0123456789ab/{name}")
    assert "immutable" in kept.headers["cache-control"]
    assert other.headers["cache-control"] == "no-store"
    assert kept.content == other.content


@pytest.mark.parametrize("announced", [True, False])
def test_more_than_a_page_takes_is_refused(site, announced):
    body = b"interests=" + b"x" * 300_000
    content = body if announced else iter([body[:200_000], body[200_000:]])
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert site.client.post("/subscribe", content=content, headers=form).status_code == 413


def test_a_length_that_is_no_length_is_too_much(site):
    assert site.client.post("/subscribe", content=b"x", headers={"Content-Length": "9" * 5_000}).status_code == 413
