"""The mail to the operator: plain text, signed like the letters, and none where nobody is named."""

from __future__ import annotations

import base64
import email
from datetime import UTC, datetime
from email import policy

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from newsletter import pipeline
from newsletter.mail.inbox import inbox

NOW = datetime(2025, 3, 13, 7, tzinfo=UTC)
SETTINGS = """\
from: Papers <papers@example.org>
title: Wöchentlich
smtp: {{host: 127.0.0.1, security: none, port: {port}}}
"""


@pytest.fixture
def tell(desk):
    """Tells the operator; gives the outcome, and the mails that a real server then has."""

    def _tell(subject: str, text: str, more: str = "operator: ops@example.org\n"):
        with inbox() as box:
            (desk.config / "newsletter.yaml").write_text(SETTINGS.format(port=box.port) + more, encoding="utf-8")
            with desk.open() as workspace:
                outcome = pipeline.tell_operator(workspace, subject, text, at=NOW)
        return outcome, box.messages

    return _tell


def test_it_says_what_is_wrong_in_plain_text(tell):
    outcome, (message,) = tell("page: no digest\r\nBcc: all@example.org", "Größe\n\nIt is tried again by itself.")
    assert outcome.kind == "accepted"
    assert (message.sender, message.recipient) == ("papers@example.org", "ops@example.org")
    mail = email.message_from_bytes(message.data, policy=policy.default)
    assert mail["Subject"].startswith("[Wöchentlich] page: no digest")
    assert mail["Bcc"] is None
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_content_type() == "text/plain"
    assert mail.get_content() == "Größe\r\n\r\nIt is tried again by itself.\r\n"


def test_it_is_signed_where_letters_are(tell, desk):
    key = ed25519.Ed25519PrivateKey.generate()
    form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (desk.config / "dkim.pem").write_bytes(key.private_bytes(serialization.Encoding.PEM, *form))
    _, (message,) = tell(
        "A letter failed", "ada's",
        "operator: ops@example.org\ndkim: {domain: example.org, selector: s1, key_file: dkim.pem}\n",
    )  # fmt: skip
    raw = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    record = b"v=DKIM1; k=ed25519; p=" + base64.b64encode(raw)
    assert dkim.verify(message.data, dnsfunc=lambda name, timeout=5: record)


def test_nobody_is_told_where_nobody_is_named(tell):
    assert tell("A letter failed", "ada's", "") == (None, [])
