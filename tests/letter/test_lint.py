"""Every rule finds its own fault, and nothing in a letter of ours."""

from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.letter.lint import RULES, lint

GOLDEN = Path(__file__).resolve().parents[1] / "golden"


@pytest.mark.parametrize("case", [file.stem for file in sorted(GOLDEN.glob("*.html"))])
def test_our_letters_break_no_rule(case, build):
    by_mail = {"List-Unsubscribe": "<mailto:leave@example.org>", "List-Unsubscribe-Post": None}
    assert lint(build.message(case, head=by_mail if case == "no-links" else None)) == []


FIRST_LINK = '<a class="a" href="https://papers.example.org/letters/abc"'
WAY_OUT = ("nsubscribe", "x")  # of both bodies, from text and address
BROKEN = [
    ("header-once", {"head": {"Date": None}}),
    ("list-headers", {"head": {"List-Id": None}}),
    ("list-headers", {"head": {"List-Unsubscribe": "<http://example.org/leave>"}}),
    ("list-headers", {"head": {"List-Unsubscribe-Post": None}}),
    ("list-headers", {"head": {"List-Unsubscribe": "<mailto:leave@example.org>"}}),
    ("way-out", {"head": {"List-Unsubscribe": "<https://example.org/x>"}, "html": WAY_OUT, "text": WAY_OUT}),
    ("auto-submitted", {"head": {"Auto-Submitted": None}}),
    ("dkim", {"head": {"DKIM-Signature": None}}),
    ("dkim", {"head": {"DKIM-Signature": "v=1; h=From:To; b=x"}}),
    ("subject-length", {"head": {"Subject": "News"}}),
    ("text-part", {"text": ("Best for you", "Best " * 30)}),
    ("same-links", {"text": ("https://papers.example.org/pause/abc", "")}),
    ("same-links", {"text": ("https://papers.example.org/f/", "https://papers.example.org/elsewhere/")}),
    ("html-size", {"html": ("</h1>", "x" * 90_000 + "</h1>")}),
    ("style-size", {"html": ("</style>", "/*" + "x" * 8_000 + "*/</style>")}),
    ("nesting", {"html": ("</h1>", "</h1></b>")}),
    ("nesting", {"html": ("</h1>", "</h1><section>")}),
    ("language", {"html": (' lang="en"', "")}),
    ("title", {"html": ("<title>", "<title></title><x-y>")}),
    ("headings", {"html": ("<h1", "<h1>x</h1><h1")}),
    ("headings", {"html": ("h3", "h4")}),
    ("layout-tables", {"html": ('role="presentation"', "")}),
    ("link-texts", {"html": ("PDF 2503.00002", "PDF 2503.00001")}),
    ("link-texts", {"html": ('aria-label="More like this: ', 'aria-label="Click: ')}),
    ("link-texts", {"html": (' aria-label="', ' title="')}),
    ("link-looks", {"html": ("color:#1d1b18;display:block", "text-decoration:none;display:block")}),
    ("link-looks", {"html": ("padding:12px 0", "padding:2px 0")}),
    ("link-targets", {"html": ("https://papers.example.org/pause/abc", "javascript:alert(1)")}),
    ("link-targets", {"html": ("/pause/abc", "/pause/abc?utm_source=letter")}),
    ("link-targets", {"html": ("/pause/abc", "/go?to=https://papers.example.org/pause/abc")}),
    ("pictures", {"html": ('width="128"', 'width="1"')}),
    ("pictures", {"html": ('alt="Picture from the paper"', "")}),
    ("active-content", {"html": ("</h1>", "</h1><script>x()</script>")}),
    ("active-content", {"html": ("<h1", '<h1 onclick="x()"')}),
    ("dark", {"html": ("prefers-color-scheme", "prefers-contrast")}),
    ("text-size", {"html": ("font-size:14px", "font-size:11px")}),
    ("contrast", {"html": ("color:#5c574f", "color:#aaaaaa")}),
    ("preheader", {"html": ("display:none;font-size:1px", "font-size:1px")}),
]


@pytest.mark.parametrize(("rule", "change"), BROKEN, ids=[f"{rule}-{n}" for n, (rule, _) in enumerate(BROKEN)])
def test_each_rule_finds_its_fault_and_only_that(rule, change, build):
    good, bad = build.message(), build.message(**change)
    assert good != bad
    assert {finding.rule for finding in lint(bad)} - {"nesting", "same-links"} | {rule} == {rule}
    assert rule in {finding.rule for finding in lint(bad)}


def test_faults_of_raw_octets_are_found(build):
    good = build.message()
    assert "line-length" in {f.rule for f in lint(b"X-Long: " + b"x" * 1000 + b"\r\n" + good)}
    assert "header-once" in {f.rule for f in lint(b"Subject: twice\r\n" + good)}
    assert "header-clean" in {f.rule for f in lint(b"X-Odd: a\x00b\r\n" + good)}
    assert "header-clean" in {f.rule for f in lint(b"X-Odd: =?utf-8?q?a=E2=80=A8b?=\r\n" + good)}
    assert "structure" in {f.rule for f in lint(good.replace(b"text/plain", b"text/x-other"))}


def test_every_rule_has_a_fault_here():
    raw = {"line-length", "header-clean", "structure"}
    assert {rule for rule, _ in BROKEN} | raw == set(RULES)


def test_a_letter_of_text_alone_is_right(build):
    mail = EmailMessage(policy=SMTP)
    for name, value in {**build.HEAD, "Subject": "A subject that is neither short nor too long"}.items():
        mail[name] = value
    mail.set_content((GOLDEN / "full.txt").read_text("utf-8"))
    assert lint(mail.as_bytes()) == []


@settings(deadline=None)
@given(st.binary(max_size=400))
def test_any_octets_are_judged_without_failing(octets):
    assert lint(octets)
    assert isinstance(lint(b"Content-Type: text/html; charset=none\r\nMIME-Version: 1.0\r\n\r\n" + octets), list)


@pytest.mark.slow
def test_strangers_mail_is_judged_without_failing(shared):
    files = [file for file in (shared / "bounces").rglob("*") if file.suffix in (".eml", ".txt")]
    assert len(files) > 20
    assert all(lint(file.read_bytes()) for file in files)
