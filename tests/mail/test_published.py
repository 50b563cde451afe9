"""What DNS says of a sender, asked of a real DNS server, and what the doctor makes of it."""

from __future__ import annotations

import socket

import dns.resolver
import pytest

from newsletter.mail.published import Names, UnansweredError, dkim_keys, dmarc, mx, ptr, spf

KEY = {"s1._domainkey.example.org": "v=DKIM1; k=rsa; p=AAAA"}
NAME = "s1._domainkey.example.org"


def asking(place: str, seconds: float = 3.0) -> Names:
    host, _, port = place.partition(":")
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers, resolver.port = [host], int(port)
    return Names(resolver, seconds)


@pytest.mark.parametrize(
    ("records", "grade", "says"),
    [
        ({}, "bad", "0 records"),
        ({("example.org", "TXT"): ['"v=spf1 a -all"', '"v=spf1 mx -all"']}, "bad", "2 records"),
        ({("example.org", "TXT"): ['"v=spf10 -all"', '"google-site-verification=x"']}, "bad", "0 records"),
        ({("example.org", "TXT"): ['"v=spf1 +all"']}, "bad", "everyone may send"),
        ({("example.org", "TXT"): ['"v=spf1 a mx"']}, "warning", "nothing of others"),
        ({("example.org", "TXT"): ['"v=spf1 ip4:192.0.2.1 " "a mx:mail.example.org/24 -all"']}, "good", "(2 look-ups)"),
        (
            {
                ("example.org", "TXT"): ['"v=spf1 include:a.example include:b.example ~all"'],
                ("a.example", "TXT"): ['"v=spf1 a mx ptr exists:%{i}.x -all"'],
                ("b.example", "TXT"): ['"v=spf1 a mx include:a.example include:c.example redirect=d.example"'],
                ("c.example", "TXT"): ['"v=spf1 a a:x mx -all"'],
            },
            "bad",
            "14 look-ups",
        ),
        ({("example.org", "TXT"): ['"v=spf1 include:example.org -all"']}, "good", "(1 look-ups)"),
    ],
)
def test_spf(nameserver, records, grade, says):
    """RFC 7208: one record, no +all, at most ten look-ups, counted through includes."""
    with nameserver(records) as place:
        found = spf(asking(place), "example.org")
    assert (found.grade, says in found.says) == (grade, True), found
    assert bool(found.do) is (grade != "good")


@pytest.mark.parametrize(
    ("record", "grade", "says"),
    [
        (None, "bad", "no record"),
        ('"v=DKIM1; k=rsa; p=AA" "AA"', "good", "our key"),
        ('"v=DKIM1; p=BBBB"', "bad", "another key"),
        ('"v=DKIM1; p="', "bad", "revoked"),
    ],
)
def test_the_dkim_key_in_dns_is_ours(nameserver, record, grade, says):
    with nameserver({(NAME, "TXT"): [record]} if record else {}) as place:
        (found,) = dkim_keys(asking(place), KEY)
    assert (found.grade, says in found.says) == (grade, True), found
    assert grade == "good" or KEY[NAME] in found.do


@pytest.mark.parametrize(
    ("record", "author", "signing", "returning", "grade"),
    [
        (None, "example.org", "example.org", "example.org", "bad"),
        ("v=DMARC1; p=none", "example.org", "example.org", "bounce.example.net", "good"),
        ("v=DMARC1; p=none", "news.example.org", "example.org", "bounce.example.net", "good"),
        ("v=DMARC1; p=none; adkim=s", "news.example.org", "example.org", "bounce.example.net", "bad"),
        ("v=DMARC1; p=reject", "example.org", "provider.example", "example.org", "warning"),
        ("v=DMARC1; p=reject", "example.org", "", "provider.example", "bad"),
        ("v=DMARC1; p=reject", "example.org", "notexample.org", "provider.example", "bad"),
    ],
)
def test_dmarc_wants_one_domain_to_agree(nameserver, *, record, author, signing, returning, grade):
    """RFC 7489 section 3.1; a record above the author's domain holds for it."""
    with nameserver({("_dmarc.example.org", "TXT"): [f'"{record}"']} if record else {}) as place:
        assert dmarc(asking(place), author, signing, returning).grade == grade


@pytest.mark.parametrize(
    ("records", "grade"),
    [
        ({}, "bad"),
        ({("example.org", "MX"): ["10 mx.example.org."]}, "good"),
        ({("example.org", "MX"): ["0 ."]}, "bad"),
        ({("example.org", "A"): ["192.0.2.1"]}, "warning"),
    ],
)
def test_bounces_and_answers_have_somewhere_to_go(nameserver, records, grade):
    with nameserver(records) as place:
        assert mx(asking(place), "example.org").grade == grade


@pytest.mark.parametrize(
    ("records", "grade"),
    [
        ({}, "bad"),
        ({("mail.example.org", "A"): ["10.0.0.1"]}, "unknown"),
        ({("mail.example.org", "A"): ["9.9.9.9"]}, "warning"),
        ({("mail.example.org", "A"): ["9.9.9.9"], ("9.9.9.9.in-addr.arpa", "PTR"): ["other.example."]}, "warning"),
        ({("mail.example.org", "A"): ["9.9.9.9"], ("9.9.9.9.in-addr.arpa", "PTR"): ["mail.example.org."]}, "good"),
    ],
)
def test_the_mail_server_s_address_leads_back_to_it(nameserver, records, grade):
    with nameserver(records) as place:
        assert ptr(asking(place), "mail.example.org").grade == grade


def test_a_silent_name_server_is_no_answer():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        with pytest.raises(UnansweredError, match=r"TXT of example\.org"):
            spf(asking(f"127.0.0.1:{silent.getsockname()[1]}", 0.3), "example.org")
