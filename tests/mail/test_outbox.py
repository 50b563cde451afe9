"""The outbox writes each letter whole, once, and never over another."""

from __future__ import annotations

import asyncio

import pytest

from newsletter.errors import DeliveryError
from newsletter.mail.outbox import Outbox, file_name
from newsletter.model import Message


def message(data=b"Subject: x\r\n\r\nbody\r\n", name="daily/2025-03-13/ada"):
    return Message("a@example.org", "b@example.org", "<id@example.org>", data, name)


def deliver(folder, *messages, begin):
    async def scenario():
        async with Outbox(folder) as outbox:
            return [await outbox.deliver(m, begin=begin) for m in messages]

    return asyncio.run(scenario())


def test_file_is_named_after_edition_and_subscriber(tmp_path, began):
    [found] = deliver(tmp_path / "new" / "out", message(), begin=began)
    assert found.kind == "accepted"
    assert [p.name for p in (tmp_path / "new" / "out").iterdir()] == ["daily-2025-03-13-ada.eml"]
    assert (tmp_path / "new" / "out" / "daily-2025-03-13-ada.eml").read_bytes() == message().data


def test_nothing_is_overwritten(tmp_path, began):
    """The same bytes again are the same file; other bytes under a taken name get a number."""
    deliver(tmp_path, message(), message(), message(b"other\r\n"), message(b"other\r\n"), begin=began)
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == {
        "daily-2025-03-13-ada.eml": message().data,
        "daily-2025-03-13-ada-2.eml": b"other\r\n",
    }


def test_withdrawn_letter_is_not_written(tmp_path, began):
    began.answer = False
    [found] = deliver(tmp_path, message(), begin=began)
    assert found.kind == "deferred"
    assert not list(tmp_path.iterdir())


def test_unusable_folder_is_one_clear_error(tmp_path, began):
    (tmp_path / "file").touch()
    with pytest.raises(DeliveryError, match="Cannot use the outbox"):
        deliver(tmp_path / "file" / "out", message(), begin=began)


def test_a_folder_that_vanishes_stops_the_run(tmp_path, began):
    async def scenario():
        async with Outbox(tmp_path / "out") as outbox:
            (tmp_path / "out").rmdir()
            return await outbox.deliver(message(), begin=began)

    found = asyncio.run(scenario())
    assert found.kind == "stop"
    assert "No such file" in found.text


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("daily/2025-03-13/ada", "daily-2025-03-13-ada"),
        ("../../etc/passwd", "etc-passwd"),
        ("..", "letter"),
        ("a\0b\nc", "a-b-c"),
        ("x" * 500, "x" * 120),
    ],
)
def test_names_stay_in_the_folder(text, name):
    assert file_name(text) == name
