"""Whose pages a link opens: its reader's alone, as long as name and address are theirs."""

from __future__ import annotations

import re
from datetime import timedelta
from email import message_from_bytes, policy

import pytest

from newsletter.mail.inbox import inbox
from newsletter.tokens import sign

READERS = [
    ("GET", "/p/{}"), ("POST", "/p/{}"), ("POST", "/p/{}/preview"), ("GET", "/p/{}/pause"), ("POST", "/p/{}/pause"),
    ("GET", "/p/{}/document"), ("POST", "/p/{}/document"), ("POST", "/p/{}/document/check"), ("GET", "/p/{}/letters"),
    ("GET", "/p/{}/data"), ("POST", "/p/{}/data"), ("POST", "/p/{}/fresh"), ("GET", "/p/{}/fresh"),
]  # fmt: skip
DATA = [("GET", "/data/{}"), ("GET", "/data/{}/export.json"), ("POST", "/data/{}/erase")]
PAGES = [("preferences", *one) for one in READERS] + [("data", *one) for one in DATA] + [("letter", "GET", "/l/{}")]
EDITION = "daily/2025-05-27"


def parts(site, purpose: str, name: str = "ada", email: str = "ada@example.org") -> tuple[str, ...]:
    return (name, EDITION, site.desk.hash(email)) if purpose == "letter" else (name, site.desk.hash(email))


@pytest.mark.parametrize(("purpose", "method", "where"), PAGES, ids=str)
def test_only_the_readers_own_link_opens_a_page(site, purpose, method, where):
    """Forged, cut off, of another key, for another purpose, with another reader's address, of nobody: all are 404."""
    before = site.document("ada"), site.document("kenji")
    desk, own = site.desk, parts(site, purpose)
    right = desk.sign(purpose, *own)
    wrong = [
        right[:-1] + ("A" if right[-1] != "A" else "B"),
        right[:20],
        "x",
        sign((b"another key of sixteen",), purpose, *own, at=site.clock()),
        desk.sign(purpose, *parts(site, purpose, email="kenji@example.org")),
        desk.sign(purpose, *parts(site, purpose, name="kenji")),
        desk.sign(purpose, *parts(site, purpose, name="nobody")),
        desk.sign(purpose, *parts(site, purpose, name="../ada")),
        desk.sign(purpose, "ada"),
        desk.sign(purpose, "ada", ""),
        *(desk.sign(other, *own) for other in ("unsubscribe", "confirm", "admin", "preferences") if other != purpose),
    ]
    for token in wrong:
        answer = site.client.request(method, where.format(token), data={"sure": "yes", "weeks": "1"})
        assert answer.status_code == 404, token
    assert (site.document("ada"), site.document("kenji")) == before


@pytest.mark.parametrize(("purpose", "method", "where"), PAGES, ids=str)
def test_a_new_address_closes_the_old_ones_links(site, purpose, method, where):
    token = site.desk.sign(purpose, *parts(site, purpose))
    path = site.folder / "config" / "subscribers" / "ada.yaml"
    path.write_text(path.read_text().replace("ada@example.org", "other@example.org"))
    answer = site.client.request(method, where.format(token), data={"sure": "yes", "weeks": "1"})
    assert answer.status_code == 404
    assert "other@example.org" not in answer.text


@pytest.mark.parametrize(("method", "where"), READERS[:-2], ids=str)
def test_an_expired_link_offers_a_fresh_one(site, method, where):
    token = site.desk.sign("preferences", *parts(site, "preferences"))
    before = site.document("ada")
    site.clock.later(days=366)
    answer = site.client.request(method, where.format(token), data={"weeks": "1"})
    assert answer.status_code == 410
    assert f'action="/p/{token}/fresh"' in answer.text
    assert "ada@example.org" not in answer.text, "whoever holds an old letter learns nothing"
    assert site.document("ada") == before


def test_a_fresh_link_goes_to_the_readers_own_address_and_not_twice(make_site):
    with inbox() as box:
        site = make_site(replace={"port: 2525": f"port: {box.port}"})
        token = site.desk.sign("preferences", *parts(site, "preferences"))
        site.clock.later(days=366)
        for _ in range(3):
            answer = site.client.post(f"/p/{token}/fresh")
            assert (answer.status_code, answer.headers["location"]) == (303, f"/p/{token}/fresh")
        assert "on its way" in site.client.get(f"/p/{token}/fresh").text
        (mail,) = box.messages
        assert mail.recipient == "ada@example.org"
        text = message_from_bytes(mail.data, policy=policy.default).get_body(("plain",)).get_content()
        (link,) = re.findall(r"https://papers\.example\.org(/p/\S+)", text)
        assert site.client.get(link).status_code == 200
        site.clock.later(minutes=11)
        site.client.post(f"/p/{token}/fresh")
        assert len(box.messages) == 2


def test_the_data_link_works_for_a_day(site):
    token = site.desk.sign("data", *parts(site, "data"))
    site.clock.later(hours=23)
    assert site.client.get(f"/data/{token}").status_code == 200
    site.clock.moment += timedelta(hours=2)
    assert site.client.get(f"/data/{token}").status_code == 410
    assert site.client.post(f"/data/{token}/erase", data={"sure": "yes"}).status_code == 410
    assert site.document("ada")
