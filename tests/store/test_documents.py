"""Subscribers' documents as rows: one address each, and of two who change one the second is told."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from newsletter.store.documents import (
    add_document,
    document_of,
    documents,
    remove_document,
    replace_document,
    versions,
)

NOW = datetime(2025, 5, 27, 9, tzinfo=UTC)


@pytest.fixture
def add(store):
    def _add(name: str, address: str = "", text: str = "email: a@example.org\n") -> str:
        return add_document(store, name, address or f"hash of {name}", text, NOW)

    return _add


def test_what_is_added_is_read_back_by_name_and_by_address(store, add):
    assert add("ada", text="# Ada\r\nemail: ä@example.org\r\n") == "written"
    assert add("kenji") == "written"
    assert list(versions(store)) == ["ada", "kenji"]
    assert documents(store, ["ada", "nobody"])["ada"].text == "# Ada\r\nemail: ä@example.org\r\n"
    found = document_of(store, "hash of kenji")
    assert found is not None
    assert found.name == "kenji"
    assert document_of(store, "hash of nobody") is None


def test_a_name_and_an_address_belong_to_one_document(store, add):
    add("ada")
    assert add("ada", "another address") == "name"
    assert add("adele", "hash of ada") == "address"
    add("kenji")
    version = versions(store)["kenji"]
    assert replace_document(store, "kenji", "hash of ada", "x", NOW, version=version) == "address"
    assert versions(store)["kenji"] == version


def test_of_two_changes_the_second_is_refused(store, add):
    add("ada")
    version = versions(store)["ada"]
    assert replace_document(store, "ada", "hash of ada", "first", NOW, version=version) == "written"
    assert replace_document(store, "ada", "hash of ada", "second", NOW, version=version) == "changed"
    assert documents(store, ["ada"])["ada"].text == "first"


def test_a_name_that_went_and_came_back_is_not_what_it_was(store, add):
    """Else who has the old one open would write over the new one, and who has read it would not read it again."""
    add("ada")
    before = versions(store)["ada"]
    assert remove_document(store, "ada")
    assert not remove_document(store, "ada")
    assert replace_document(store, "ada", "hash of ada", "x", NOW, version=before) == "gone"
    add("ada")
    assert versions(store)["ada"] != before


def test_versions_of_some_names_alone(store, add):
    for name in ("ada", "kenji", "maria"):
        add(name)
    assert list(versions(store, {"kenji", "nobody"})) == ["kenji"]
    assert versions(store, set()) == {}


def test_many_at_once_add_one_address_once(store):
    def add(number: int) -> str:
        return add_document(store, f"reader{number}", "the same address", "x", NOW)

    with ThreadPoolExecutor(8) as threads:
        said = list(threads.map(add, range(24)))
    assert sorted(said) == ["address"] * 23 + ["written"]
    assert len(versions(store)) == 1


def test_many_at_once_lose_no_change(store, add):
    """Each reads, adds a line and tries again until it was the first: every line is there at the end."""
    add("ada", text="")

    def append(number: int) -> None:
        while True:
            stored = documents(store, ["ada"])["ada"]
            text = f"{stored.text}{number}\n"
            if replace_document(store, "ada", "hash of ada", text, NOW, version=stored.version) == "written":
                return

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(append, range(20)))
    assert sorted(map(int, documents(store, ["ada"])["ada"].text.split())) == list(range(20))
