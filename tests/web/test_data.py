"""My data: all of one reader's and nothing of anybody else's; and erased for good (tests/store: PostgreSQL too)."""

from __future__ import annotations

import json
import re
from email import message_from_bytes, policy

import pytest
import sqlalchemy as sa

from newsletter import pipeline
from newsletter.mail.inbox import inbox
from newsletter.pipeline import roster
from newsletter.pipeline.links import letter_links, link_keys, preferences_link
from newsletter.store import consents, feedback, ledger
from newsletter.store import letters as frozen
from newsletter.store.suppression import address_hash, is_suppressed
from newsletter.store.tables import METADATA

BASE = "https://papers.example.org"
DAY = "2025-05-27"


def everything(engine) -> str:
    """Every value of every table as one text."""
    with engine.connect() as connection:
        rows = [tuple(row) for table in METADATA.sorted_tables for row in connection.execute(sa.select(table))]
    return "\n".join(v.decode("utf-8", "replace") if isinstance(v, bytes) else str(v) for row in rows for v in row)


def data_of(site, name: str = "ada") -> str:
    return f"/data/{site.desk.sign('data', name, site.desk.hash(f'{name}@example.org'))}"


@pytest.fixture
def told(site):
    """The site, where ada and kenji have said what they think of papers and agreed to letters."""
    engine = site.workspace.engine
    letters = frozen.frozen_letters(engine, f"daily/{DAY}")
    papers = [entry.pick.paper.id for entry in letters["ada"].top]
    for name in ("ada", "kenji"):
        for paper, kind in zip(papers, ("more", "less", "save"), strict=True):
            feedback.record_feedback(engine, feedback.Feedback(name, paper, kind, site.clock()))
        hashed = address_hash(f"{name}@example.org", site.workspace.key)
        consents.record_consent(engine, name, hashed, "confirmed", f"form of {name}", site.clock())
    return site


def test_the_page_mails_a_link_and_gives_none(make_site):
    """Whoever holds a forwarded letter sees how much is kept, and cannot take or erase it."""
    with inbox() as box:
        site = make_site(replace={"port: 2525": f"port: {box.port}"})
        where = preferences_link(site.workspace, "ada", "ada@example.org", at=site.clock()).removeprefix(BASE) + "/data"
        assert "/data/" not in site.client.get(where).text.replace(where, "")
        for _ in range(3):
            answer = site.client.post(where)
            assert (answer.status_code, answer.headers["location"]) == (303, f"{where}?sent=yes")
        (mail,) = box.messages
        assert mail.recipient == "ada@example.org"
        text = message_from_bytes(mail.data, policy=policy.default).get_body(("plain",)).get_content()
        (link,) = re.findall(r"https://papers\.example\.org(/data/\S+)", text)
        assert "Download my data" in site.client.get(link).text


def test_the_export_holds_all_of_the_reader_and_nothing_of_others(told):
    answer = told.client.get(data_of(told) + "/export.json")
    assert answer.headers["content-disposition"].startswith("attachment")
    data = json.loads(answer.content)
    assert data["document"] == told.document("ada")
    assert (data["name"], data["email"]) == ("ada", "ada@example.org")
    assert [one["event"] for one in data["consents"]] == ["confirmed"]
    assert sorted(one["said"] for one in data["feedback"]) == ["less", "more"]
    assert len(data["saved"]) == 1
    (letter,) = data["letters"]
    assert (letter["edition"], letter["state"], letter["email"]) == (f"daily/{DAY}", "sent", "ada@example.org")
    assert letter["subject"] == frozen.frozen_letters(told.workspace.engine, f"daily/{DAY}")["ada"].subject
    assert len(letter["papers"]) == 6
    assert all(paper["title"] for paper in letter["papers"])
    assert [line["event"] for line in letter["history"]] == ["accepted"]
    assert "kenji" not in answer.text.casefold()


def test_an_earlier_owner_of_the_name_is_somebody_else(told):
    """The name's letters to another address are not in the export, and stay when this reader is erased."""
    path = told.folder / "config" / "subscribers" / "ada.yaml"
    path.write_text(path.read_text().replace("ada@example.org", "new@example.org"))
    where = f"/data/{told.desk.sign('data', 'ada', told.desk.hash('new@example.org'))}"
    data = json.loads(told.client.get(where + "/export.json").content)
    assert (data["letters"], data["consents"]) == ([], [])
    told.client.post(where + "/erase", data={"sure": "yes"})
    assert [row.email for row in ledger.deliveries(told.workspace.engine, subscriber="ada")] == ["ada@example.org"]


def test_erasing_needs_the_tick(told):
    answer = told.client.post(data_of(told) + "/erase")
    assert answer.status_code == 422
    assert "Tick the box" in answer.text
    assert told.document("ada")
    assert len(ledger.deliveries(told.workspace.engine, subscriber="ada")) == 1


def test_erasing_leaves_nothing_but_the_hash(told):
    before = ledger.counts(told.workspace.engine, f"daily/{DAY}")
    keys = link_keys(told.workspace.settings, told.workspace.key)
    letter = frozen.frozen_letters(told.workspace.engine, f"daily/{DAY}")["ada"]
    links = letter_links(BASE, keys, letter, key=told.workspace.key, at=told.clock())
    where = data_of(told)
    answer = told.client.post(where + "/erase", data={"sure": "yes"})
    assert (answer.status_code, answer.headers["location"]) == (303, where)
    assert "It is all gone" in told.client.get(where).text
    assert not (told.folder / "config" / "subscribers" / "ada.yaml").exists()
    left = everything(told.workspace.engine)
    assert "ada@example.org" not in left
    assert "form of ada" in left, "when and where they agreed"
    assert "ada" not in left.splitlines()
    assert ledger.counts(told.workspace.engine, f"daily/{DAY}") == before
    found = is_suppressed(told.workspace.engine, "ada@example.org", key=told.workspace.key)
    assert found is not None
    assert found.reason == "erased"
    hashed = address_hash("ada@example.org", told.workspace.key)
    said = consents.consents(told.workspace.engine, address=hashed)
    assert [one.event for one in said] == ["confirmed", "erased"]
    for link in (links.view, links.preferences, links.preferences + "/data"):
        assert told.client.get(link.removeprefix(BASE)).status_code == 404
    assert told.document("kenji")
    assert list(feedback.feedback(told.workspace.engine, ["ada", "kenji"])) == ["kenji"]


def test_erasing_again_changes_nothing(told):
    where = data_of(told)
    told.client.post(where + "/erase", data={"sure": "yes"})
    once = everything(told.workspace.engine)
    assert told.client.post(where + "/erase", data={"sure": "yes"}).status_code == 303
    assert told.client.get(where + "/export.json").headers["location"] == where
    assert everything(told.workspace.engine) == once


def test_looking_erases_nothing(told):
    before = everything(told.workspace.engine)
    for path in ("", "/export.json"):
        for _ in range(2):
            assert told.client.get(data_of(told) + path).status_code == 200
    assert told.client.get(data_of(told) + "/erase").status_code == 405
    assert everything(told.workspace.engine) == before


def test_the_next_run_sends_nothing_to_who_was_erased(told):
    """A run that read the profiles before the reader went writes neither a letter nor the address."""
    stale = told.workspace
    told.client.post(data_of(told) + "/erase", data={"sure": "yes"})
    outbox = told.folder / "later"
    pipeline.prepare(stale, told.clock().date())
    assert "ada" in {reader.name for reader in pipeline.readers(stale)}
    pipeline.send(stale, told.clock().date(), at=told.clock(), outbox=outbox)
    assert not outbox.exists() or not list(outbox.rglob("*ada*"))
    assert "ada@example.org" not in everything(stale.engine)


def test_erasing_where_documents_are_rows(make_site):
    site = make_site(settings="subscribers: database\n")
    roster.add_subscriber(site.workspace, "ada", "email: ada@example.org\nname: Ada\n", now=site.clock())
    site.client.post(data_of(site) + "/erase", data={"sure": "yes"})
    assert roster.read_document(site.workspace, "ada") is None
    assert "ada@example.org" not in everything(site.workspace.engine)
