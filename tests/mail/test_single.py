"""A mail to one person: both forms, or text alone; nothing of bulk mail; what stands in it cannot become a header."""

from __future__ import annotations

import email
from datetime import UTC, datetime
from email import policy

import pytest

from newsletter.errors import NewsletterError
from newsletter.mail.message import sender
from newsletter.mail.single import build_single

NOON = datetime(2025, 3, 13, 12, tzinfo=UTC)
IDENT = "a" * 26


@pytest.fixture
def single(pages):
    def _single(html: str, text: str, *, to: str = "ada@example.org", subject: str = "Confirm your address"):
        origin = sender(
            "Päpers <papers@example.org>", title="Papers", reply_to="editor@example.org",
            bounces="bounces+{id}@example.org",
        )  # fmt: skip
        return build_single(to, subject, pages(html, text), origin, ident=IDENT, date=NOON)

    return _single


def test_text_stands_before_the_html(single):
    message = single("<p>Größe &amp; more</p>", "Größe & more")
    mail = email.message_from_bytes(message.data, policy=policy.default)
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
    assert mail.get_body(("plain",)).get_content() == "Größe & more\r\n"
    assert "Gr" in mail.get_body(("html",)).get_content()
    assert message.sender == f"bounces+{IDENT}@example.org"
    assert mail["Message-ID"] == message.message_id == f"<{IDENT}@example.org>"
    assert mail["Reply-To"] == "editor@example.org"
    assert not [name for name in mail if name.startswith("List-") or name == "Precedence"]


@pytest.mark.parametrize("text", ["Hi", "Größe", "日本語 " * 400, ".\n..\nFrom x\n", "--" + "=_" + IDENT, ""])
def test_without_html_the_text_is_the_whole_mail(single, text):
    data = single("", text).data
    mail = email.message_from_bytes(data, policy=policy.default)
    assert mail.get_content_type() == "text/plain"
    assert mail.get_content().replace("\r\n", "\n").rstrip("\n") == text.rstrip("\n")
    assert max(map(len, data.split(b"\r\n"))) <= 998
    assert b"\n" not in data.replace(b"\r\n", b"")
    assert not mail.defects


def test_what_is_typed_cannot_become_a_header(single):
    mail = email.message_from_bytes(single("", "x", subject="A\r\nBcc: b@example.org").data, policy=policy.default)
    assert mail["Bcc"] is None
    with pytest.raises(NewsletterError):
        single("", "x", to="ada@example.org\r\nBcc: b@example.org")
