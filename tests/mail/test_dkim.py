"""What we sign, dkimpy verifies; whoever changes or adds a sealed field breaks it."""

from __future__ import annotations

from datetime import UTC, datetime

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.errors import ConfigError
from newsletter.mail.dkim import load_signer, relaxed_body, relaxed_field
from newsletter.mail.message import build, sender

NOON = datetime(2025, 3, 13, 12, tzinfo=UTC)


def write_pem(path, key, encryption=None):
    encryption = encryption or serialization.NoEncryption()
    path.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption))
    return path


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keys")
    return {
        "rsa": write_pem(folder / "rsa.pem", rsa.generate_private_key(65537, 2048)),
        "ed": write_pem(folder / "ed.pem", ed25519.Ed25519PrivateKey.generate()),
    }


@pytest.fixture(scope="module")
def signer(keys):
    return load_signer("example.org", keys.items())


def verified(data, signer, index=0):
    def dns(name, timeout=5):
        return signer.records.get(name.decode().rstrip("."), "").encode() or None

    try:
        return dkim.DKIM(data).verify(index, dnsfunc=dns)
    except dkim.ValidationError:
        return False


def signed(letter, pages, signer, html="<p>Hi</p>", text="Hi"):
    origin = sender("Päpers <papers@example.org>", title="Trending papers", reply_to="editor@example.org")
    return build(
        letter, pages(html, text), origin, unsubscribe="https://example.org/u/1", date=NOON, key=b"k", signer=signer
    ).data


def test_both_signatures_verify_and_cover_every_field(letter, pages, signer):
    data = signed(letter, pages, signer)
    assert data.count(b"DKIM-Signature:") == 2
    for index, algorithm in enumerate((b"rsa-sha256", b"ed25519-sha256")):
        message = dkim.DKIM(data)
        assert message.verify(index, dnsfunc=lambda n, timeout=5: signer.records[n.decode().rstrip(".")].encode())
        assert message.signature_fields[b"a"] == algorithm
        covered = {name.lower() for name in message.signature_fields[b"h"].replace(b"\r\n ", b"").split(b":")}
        present = {
            line.partition(b":")[0].lower() for line in data.partition(b"\r\n\r\n")[0].split(b"\r\n") if line[:1] > b" "
        }
        assert present - {b"dkim-signature"} <= covered


@pytest.mark.parametrize("added", [b"From: evil@example.com\r\n", b"Subject: other\r\n", b"To: x@example.com\r\n",
                                   b"Reply-To: evil@example.com\r\n", b"List-Unsubscribe: <https://evil.example>\r\n",
                                   b"Cc: x@example.com\r\n", b"Content-Type: text/plain\r\n"])  # fmt: skip
def test_a_second_field_breaks_the_signature(letter, pages, signer, added):
    data = signed(letter, pages, signer)
    at = data.index(b"\r\n\r\n") + 2
    assert not verified(added + data, signer)
    assert not verified(data[:at] + added + data[at:], signer)


def test_a_changed_body_breaks_the_signature(letter, pages, signer):
    data = signed(letter, pages, signer)
    assert verified(data, signer)
    assert not verified(data.replace(b"<p>Hi</p>", b"<p>Ho</p>"), signer)


def test_blanks_changed_on_the_way_do_not(letter, pages, signer):
    """What relaxed canonicalisation is for: refolded fields, blanks at line ends, empty last lines."""
    data = signed(letter, pages, signer)
    changed = (
        data.replace(b"Subject: ", b"Subject:\r\n\t ").replace(b"<p>Hi</p>\r\n", b"<p>Hi</p> \t\r\n") + b"\r\n\r\n"
    )
    assert changed != data
    assert verified(changed, signer)


@settings(max_examples=60)
@given(html=st.text(alphabet="a \t\n\r.=é<", max_size=200), subject=st.text(max_size=100))
def test_every_letter_verifies(html, subject, signer):
    from newsletter.model import Letter

    letter = Letter("daily/2025-03-13", NOON.date(), "ada", "ada@example.net", "A", "en", subject, "", (), ())
    page = type("Page", (), {"html": html, "text": html})
    assert verified(signed(letter, lambda *_: page, signer), signer, 1)


@given(st.binary(max_size=60).map(lambda b: bytes(b" \t\r\nab"[o % 6] for o in b).replace(b"\r", b"\r\n")))
def test_canonical_body_equals_dkimpy(body):
    body = body.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    wanted = dkim.canonicalization.Relaxed.canonicalize_body(body)
    assert relaxed_body(body) == wanted


def test_canonical_field():
    assert relaxed_field(b"SubJect :  a\r\n\t b  c \r\n") == b"subject:a b c\r\n"


def test_lines_of_the_signature_are_short(letter, pages, signer):
    head = signed(letter, pages, signer).partition(b"\r\n\r\n")[0]
    assert max(map(len, head.split(b"\r\n"))) <= 100


def test_records_name_selector_and_kind(signer):
    assert set(signer.records) == {"rsa._domainkey.example.org", "ed._domainkey.example.org"}
    assert signer.records["ed._domainkey.example.org"].startswith("v=DKIM1; k=ed25519; p=")


def bad_key(folder, kind):
    path = folder / "key.pem"
    match kind:
        case "missing":
            pass
        case "a folder":
            path.mkdir()
        case "not PEM":
            path.write_bytes(b"\x00\xffgarbage")
        case "with a password":
            write_pem(path, ed25519.Ed25519PrivateKey.generate(), serialization.BestAvailableEncryption(b"secret"))
        case "elliptic":
            write_pem(path, ec.generate_private_key(ec.SECP256R1()))
        case "public":
            public = ed25519.Ed25519PrivateKey.generate().public_key()
            path.write_bytes(
                public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
            )
    return path


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("missing", "No such file"),
        ("a folder", "Is a directory"),
        ("not PEM", "not a private key in PEM"),
        ("with a password", "it has a password"),
        ("elliptic", "neither RSA nor Ed25519"),
        ("public", "not a private key in PEM"),
    ],
)
def test_unusable_key_says_what_to_do(tmp_path, kind, why):
    with pytest.raises(ConfigError, match=why) as caught:
        load_signer("example.org", [("s1", bad_key(tmp_path, kind))])
    assert caught.value.do
    assert caught.value.which.endswith("key.pem")
