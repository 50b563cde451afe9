"""The builder's bytes, read back by the standard library's strict parser."""

from __future__ import annotations

import email
import email.policy
import html as html_module
import re
from dataclasses import replace
from datetime import UTC, datetime
from email.header import decode_header, make_header
from email.utils import parseaddr

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.errors import MessageError
from newsletter.mail.address import Mailbox, mailbox, normal_address
from newsletter.mail.body import octets
from newsletter.mail.headers import mailboxes, unstructured
from newsletter.mail.message import build, message_token, sender, smtputf8
from newsletter.model import Letter
from newsletter.text import tidy

NOON = datetime(2025, 3, 13, 12, tzinfo=UTC)
KEY = b"key"
ONCE = (
    "From", "To", "Date", "Message-ID", "Subject", "MIME-Version", "List-Id", "List-Unsubscribe",
    "List-Unsubscribe-Post", "Auto-Submitted", "Precedence", "Feedback-ID", "Reply-To", "Content-Type",
)  # fmt: skip
STRICT = email.policy.SMTP.clone(raise_on_defect=True)
INJECTIONS = (
    "a\rBcc: x@example.org", "a\nBcc: x@example.org", "a\r\nBcc: x@example.org", "a\r\n\r\nbody", "a\r\n\tb",
    "nul\0nul",
    "line\u2028Bcc: x@example.org", "para\u2029x", "del\x7fx", "esc\x1b[2J", "next\x85line", "vt\x0bx\x0cff",
    "w" * 2000, "ü" * 2000, "lone \ud800 and \udfff",
    "=?utf-8?q?=0D=0ABcc:_x@example.org?=", "=?utf-8?b?" + "A" * 400 + "?=",
    "=?" * 300, "a=?utf-8?q?b?=", "user@x> AUTH=<", '"quoted\\" <a@b>',
    ", second@example.org", "(comment)", "tab\there",
    "\u202ertl", "👩‍👩‍👧 emoji", "", " ", "\r\n", "a:b;", "<a@example.org>",
)  # fmt: skip
TEXTS = st.text(st.characters(codec=None, exclude_categories=()), max_size=300) | st.sampled_from(INJECTIONS)


@pytest.fixture(scope="module")
def origin():
    return sender("Päpers <papers@example.org>", title="Trending papers", reply_to="editor@example.org")


class Page:
    def __init__(self, html="<p>Hi</p>", text="Hi"):
        self.html, self.text = html, text


LETTER = Letter(
    edition="daily/2025-03-13", day=NOON.date(), subscriber="ada", email="ada@example.net", display_name="Ada",
    language="en", subject="Papers", preheader="", top=(), sections=(),
)  # fmt: skip


def make(origin, page=None, **changes):
    how = {"unsubscribe": "https://example.org/u/1", "date": NOON, "key": KEY}
    how |= {
        name: changes.pop(name)
        for name in tuple(changes)
        if name in ("unsubscribe", "unsubscribe_mail", "test_to", "key", "date")
    }
    return build(replace(LETTER, **changes), page or Page(), origin, **how)


def read(data):
    return email.message_from_bytes(data, policy=STRICT)


def test_every_field_stands_once(origin):
    parsed = read(make(origin).data)
    assert {name: len(parsed.get_all(name, [])) for name in ONCE} == dict.fromkeys(ONCE, 1)
    assert parsed["From"].addresses[0].display_name == "Päpers"
    assert parsed["To"].addresses[0].addr_spec == "ada@example.net"
    assert parsed["List-Unsubscribe"] == "<https://example.org/u/1>"
    assert parsed["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert parsed["Auto-Submitted"] == "auto-generated"
    assert parsed["List-Id"] == "Trending papers <trending-papers.example.org>"
    assert parsed["Feedback-ID"] == "daily-2025-03-13:daily::exampleorg"
    assert parsed["Date"].datetime == NOON


def test_text_comes_first(origin):
    parsed = read(make(origin, Page("<p>Grüße</p>\n", "Grüße\n")).data)
    assert parsed.get_content_type() == "multipart/alternative"
    assert [(p.get_content_type(), p.get_content()) for p in parsed.iter_parts()] == [
        ("text/plain", "Grüße\r\n"),
        ("text/html", "<p>Gr&#252;&#223;e</p>\r\n"),
    ]


def test_text_only_letter_has_one_part(origin):
    parsed = read(make(origin, Page(text="Only this"), text_only=True).data)
    assert (parsed.get_content_type(), parsed.get_content()) == ("text/plain", "Only this\r\n")


def test_same_letter_same_bytes_and_an_id_of_its_own(origin):
    """Edition and subscriber under the key decide the Message-ID: the same in every retry, another for others."""
    first, again = make(origin), make(origin)
    assert first == again
    later = make(origin, date=datetime(2025, 3, 14, tzinfo=UTC))
    assert later.message_id == first.message_id
    others = [make(origin, **c) for c in ({"subscriber": "bob"}, {"edition": "daily/2025-03-14"}, {"key": b"other"})]
    assert len({m.message_id for m in [first, *others]}) == 4
    assert re.fullmatch(r"<[a-z2-7]{26}@example\.org>", first.message_id)
    assert message_token(KEY, "a", "bc") != message_token(KEY, "ab", "c")


def test_the_one_off_test_is_marked_and_cannot_unsubscribe_the_reader(origin):
    message = make(origin, test_to="me@example.com", unsubscribe_mail="leave@example.org")
    parsed = read(message.data)
    assert (parsed["Subject"], parsed["To"], message.recipient) == ("[Test] Papers", "me@example.com", "me@example.com")
    assert "List-Unsubscribe" not in parsed
    assert message.message_id != make(origin).message_id
    assert message.name == "test/daily/2025-03-13/ada"


def test_verp_names_the_delivery():
    origin = sender("papers@example.org", title="P", bounces="bounces+{id}@example.org")
    message = make(origin)
    assert message.sender == f"bounces+{message.message_id[1:27]}@example.org"


@pytest.mark.parametrize(
    ("link", "post"), [("https://example.org/u", True), ("http://localhost:8000/u", False), ("", False)]
)
def test_one_click_needs_https(origin, link, post):
    """RFC 8058: the one-click field promises a POST that nobody on the way can read."""
    parsed = read(make(origin, unsubscribe=link, unsubscribe_mail="leave@example.org").data)
    assert ("List-Unsubscribe-Post" in parsed) == post
    assert "mailto:leave@example.org" in parsed["List-Unsubscribe"]


@pytest.mark.parametrize(
    "link", ["javascript:alert(1)", "https://a b", "https://a>,<https://b", "https://a\r\nX: y", "//x"]
)
def test_bad_links_fail_their_letter(origin, link):
    with pytest.raises(MessageError):
        make(origin, unsubscribe=link)


def lines_are_safe(data):
    assert data.count(b"\n") == data.count(b"\r\n") == data.count(b"\r")
    assert all(len(line) <= 998 for line in data.split(b"\r\n"))
    head = data.partition(b"\r\n\r\n")[0]
    assert all(len(line) <= 78 for line in head.split(b"\r\n") if b" " in line.strip() or b"=?" in line)
    text = head.decode()
    assert not [
        c for c in text.replace("\r\n", "") if c != "\t" and (ord(c) < 32 or ord(c) == 127 or c in "\u2028\u2029\x85")
    ]


def display_name(data):
    """The name in To; `parsed["To"]` of Python 3.11 keeps the blanks between encoded words (RFC 2047, 6.2)."""
    raw = email.message_from_bytes(data, policy=email.policy.compat32)["To"]
    return str(make_header(decode_header(re.sub(r"\r\n", "", parseaddr(raw)[0]))))


@given(TEXTS, TEXTS)
def test_no_text_breaks_out_of_a_header(subject, name):
    """Whatever a title or a name holds, the header's fields are the same and say the same text in one line."""
    origin = sender("papers@example.org", title="Trending papers")
    message = make(origin, subject=subject, display_name=name)
    lines_are_safe(message.data)
    parsed = email.message_from_bytes(message.data, policy=email.policy.SMTP)
    assert sorted(parsed.keys()) == sorted(set(ONCE) - {"Reply-To"})
    assert parsed["Subject"] == tidy(subject)
    assert display_name(message.data) == tidy(name)
    assert [a.addr_spec for a in parsed["To"].addresses] == ["ada@example.net"]


@pytest.mark.parametrize("text", INJECTIONS)
def test_injection_corpus(origin, text):
    """Subject, display name and title; an address or a link with it is refused instead."""
    titled = sender("papers@example.org", title=text)
    message = make(titled, subject=text, display_name=text)
    lines_are_safe(message.data)
    assert b"Bcc" not in re.sub(rb"=\?[^ \r]*\?=", b"", message.data.partition(b"\r\n\r\n")[0]).replace(b" Bcc:", b"")
    parsed = email.message_from_bytes(message.data, policy=email.policy.SMTP)
    assert "Bcc" not in parsed
    for changes in ({"email": f"ada{text}@example.net"}, {"email": f"ada@example.net{text}"}):
        if any(c in text for c in "\r\n\0\x7f\u2028\u2029> ,\ud800"):
            with pytest.raises(MessageError):
                make(origin, **changes)


@given(TEXTS, TEXTS)
def test_bodies_arrive_as_they_were(html, text):
    """Line ends become CRLF, controls and lone surrogates go, everything else is read; the bytes stay seven-bit."""
    origin = sender("papers@example.org", title="T")
    data = make(origin, Page(html, text)).data
    assert data.isascii()
    lines_are_safe(data)
    parts = [p.get_content() for p in read(data).iter_parts()]
    assert parts[0] == octets(text).decode()
    assert html_module.unescape(parts[1]) == html_module.unescape(octets(html).decode())


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("plain\n" * 50, "7bit"),
        ("a" * 5000, "quoted-printable"),
        ("café au lait " * 40, "quoted-printable"),
        ("論文" * 300, "base64"),
    ],
)
def test_shortest_encoding_wins(origin, text, encoding):
    parsed = read(make(origin, Page(text=text), text_only=True).data)
    assert parsed["Content-Transfer-Encoding"] == encoding
    assert parsed.get_content() == octets(text).decode()


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        ("ada@EXAMPLE.net", "ada@example.net"),
        ("ada@bücher.example", "ada@xn--bcher-kva.example"),
        ("o'neil+x@example.net", "o'neil+x@example.net"),
        ('"a b"@example.net', '"a b"@example.net'),
        ("ada@localhost.test", "ada@localhost.test"),
    ],
)
def test_addresses_have_ascii_domains(written, wanted):
    assert normal_address(written) == wanted


@pytest.mark.parametrize(
    "bad",
    ["", "ada", "@example.net", "ada@", "a..b@example.net", "a" * 65 + "@example.net", "a@-x.org", "a b@x.org",
     "a@b@c.org",
     "a@x.org\n", "a@x.org,b@x.org", "x@x> AUTH=<", "a@" + "b." * 130 + "org"],
)  # fmt: skip
def test_bad_addresses_are_refused(bad):
    with pytest.raises(MessageError, match="Bad address"):
        normal_address(bad)


def test_non_ascii_local_part_needs_smtputf8(origin):
    message = make(origin, email="jürgen@bücher.example")
    assert message.recipient == "jürgen@xn--bcher-kva.example"
    assert smtputf8(message)
    assert not smtputf8(make(origin))
    assert "jürgen@".encode() in message.data


@pytest.mark.parametrize(
    ("text", "box"),
    [
        ("papers@example.org", Mailbox("", "papers@example.org")),
        ("Papers <papers@example.org>", Mailbox("Papers", "papers@example.org")),
        ('"Papers, daily" <papers@example.org>', Mailbox("Papers, daily", "papers@example.org")),
        ('"A \\"b\\"" <p@example.org>', Mailbox('A "b"', "p@example.org")),
        (" <p@example.org> ", Mailbox("", "p@example.org")),
    ],
)
def test_mailboxes_are_read(text, box):
    assert mailbox(text) == box


def test_golden_headers():
    """What a relay sees, octet by octet."""
    assert unstructured("Subject", "Graphs that learn") == b"Subject: Graphs that learn\r\n"
    assert unstructured("Subject", "Für alle Leser") == b"Subject: =?utf-8?q?F=C3=BCr_alle_Leser?=\r\n"
    assert unstructured("Subject", "論文の要約") == b"Subject: =?utf-8?b?6KuW5paH44Gu6KaB57SE?=\r\n"
    assert mailboxes("To", [Mailbox("Dr. Ada", "a@x.org")]) == b'To: "Dr. Ada" <a@x.org>\r\n'
    assert mailboxes("To", [Mailbox("", "a@x.org"), Mailbox("B", "b@x.org")]) == b"To: a@x.org, B <b@x.org>\r\n"
