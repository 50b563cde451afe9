"""The doctor finds what keeps letters from arriving, and says what to do about each."""

from __future__ import annotations

import json
import os

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from newsletter.mail.dkim import load_signer

pytestmark = pytest.mark.slow


@pytest.fixture
def signing(house):
    """The house with a DKIM key; the TXT record that belongs to it."""
    key = ed25519.Ed25519PrivateKey.generate()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = house.config / "dkim.pem"
    path.write_bytes(pem)
    path.chmod(0o600)
    settings = house.config / "newsletter.yaml"
    settings.write_text(settings.read_text() + "dkim: {domain: example.org, selector: s1, key_file: dkim.pem}\n")
    (record,) = load_signer("example.org", [("s1", path)]).records.values()
    return record


def published(record: str) -> dict[tuple[str, str], list[str]]:
    return {
        ("example.org", "TXT"): ['"v=spf1 mx -all"'],
        ("example.org", "MX"): ["10 mx.example.org."],
        ("_dmarc.example.org", "TXT"): ['"v=DMARC1; p=quarantine"'],
        ("s1._domainkey.example.org", "TXT"): [f'"{record}"'],
    }


def examined(house, place: str, *more: str, **environment: str) -> tuple[int, dict[str, dict[str, str]]]:
    ran = house.run("doctor", "--nameserver", place, "--json", *more, environment=environment)
    return ran.returncode, {found["check"]: found for found in json.loads(ran.stdout)}


def test_a_healthy_sender_is_told_so_and_the_test_letter_arrives(house, signing, nameserver, smtp):
    with nameserver(published(signing)) as place:
        status, found = examined(house, place, "--to", "me@example.org", NEWSLETTER_SMTP__PORT=str(smtp.port))
    bad = [one for one in found.values() if one["grade"] in ("bad", "warning")]
    assert [one for one in bad if one["check"] != "disk"] == []
    assert status == 0
    assert found["DKIM signature"]["grade"] == "good"
    assert found["templates"]["says"].startswith(tuple("123456789"))
    (message,) = smtp.messages
    assert message.recipient == "me@example.org"
    assert b"DKIM-Signature" in message.data


def test_each_thing_that_is_wrong_is_named_with_what_to_do(house, signing, nameserver):
    """No SPF, another DKIM key, no DMARC, nobody listens, a key that everyone can read."""
    (house.config / "dkim.pem").chmod(0o644)
    records = {("example.org", "MX"): ["10 mx.example.org."]}
    records["s1._domainkey.example.org", "TXT"] = ['"v=DKIM1; k=ed25519; p=AAAA"']
    with nameserver(records) as place:
        status, found = examined(house, place)
    assert status == 1
    grades = {check: one["grade"] for check, one in found.items()}
    wrong = ("SPF of example.org", "DKIM key s1._domainkey.example.org", "DMARC of example.org", "DKIM signature")
    assert {grades[check] for check in (*wrong, "mail server 127.0.0.1:9")} == {"bad"}
    assert grades["rights of dkim.pem"] == "warning"
    assert grades["MX of example.org"] == "good"
    assert all(one["do"] for one in found.values() if one["grade"] != "good")
    assert signing in found["DKIM key s1._domainkey.example.org"]["do"]


def test_without_dns_the_rest_is_examined(house, smtp):
    status, found = examined(house, "127.0.0.1:9", NEWSLETTER_SMTP__PORT=str(smtp.port))
    assert status == 0
    assert found["DNS"]["grade"] == "unknown"
    assert found[f"mail server 127.0.0.1:{smtp.port}"]["grade"] == "good"


def test_a_clock_that_went_back_is_found(prepared, tmp_path, smtp):
    to_box = {"NEWSLETTER_SMTP__PORT": str(smtp.port)}
    prepared.done("send", "--date", "2025-03-13", "--outbox", tmp_path / "out")
    _, found = examined(prepared, "127.0.0.1:9", **to_box, NEWSLETTER_NOW="2020-01-01T00:00:00+00:00")
    assert found["clock"]["grade"] == "bad"
    assert "ledger has a line of" in found["clock"]["says"]


def test_an_unwritable_data_folder_is_found(house, smtp):
    if os.geteuid() == 0:
        pytest.skip("root writes everywhere")
    house.run("status")
    (house.folder / "data").chmod(0o500)
    try:
        _, found = examined(house, "127.0.0.1:9")
    finally:
        (house.folder / "data").chmod(0o700)
    assert found["data folder"]["grade"] == "bad"
