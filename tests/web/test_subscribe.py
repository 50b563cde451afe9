"""The way in: no letter before the owner of the address has said so, and nobody learns who reads already."""

from __future__ import annotations

import email
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from email import policy
from email.message import EmailMessage
from html import unescape
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from newsletter import pipeline
from newsletter.mail.inbox import Inbox, inbox
from newsletter.model import Skip
from newsletter.pipeline import roster, subscribing, withdrawal
from newsletter.pipeline.workspace import readers, reloaded
from newsletter.store import ledger
from newsletter.store.consents import consents
from newsletter.store.suppression import address_hash, suppress
from newsletter.store.tables import REQUESTS
from newsletter.web import subscribe as page_module
from newsletter.web.meter import Meter

FORM = {
    "email": "nia@example.org", "name": "Nia", "send_at": "08:15", "days": "weekdays", "timezone": "Africa/Nairobi",
    "interests": "graph neural networks\nwhy large models hallucinate\n",
}  # fmt: skip


@dataclass
class Way:
    """A site whose mail goes to a real inbox, and what a stranger does there."""

    site: Any
    box: Inbox

    def ask(self, **changes: str) -> Any:
        return self.site.client.post("/subscribe", data=FORM | changes)

    def mail(self) -> EmailMessage:
        """The last mail, taken out of the inbox."""
        return email.message_from_bytes(self.box.messages.pop().data, policy=policy.default)

    def link(self) -> str:
        """The confirmation link of the last mail, as a path."""
        text = self.mail().get_body(("plain",)).get_content()
        return re.search(r"https://papers\.example\.org(/\S+)", text)[1]

    @property
    def now(self) -> Any:
        """The workspace as it is now."""
        return reloaded(self.site.workspace, {})


@pytest.fixture
def open_way(make_site: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Way]]:
    monkeypatch.setattr(page_module, "_WAITS", ())
    with inbox() as box:

        def make(**more: Any) -> Way:
            port = {"port: 2525": f"port: {box.port}"}
            return Way(make_site(replace=port | more.pop("replace", {}), **more), box)

        yield make


@pytest.fixture
def way(open_way: Callable[..., Way]) -> Way:
    return open_way()


@pytest.fixture(params=["folder", "database"])
def anywhere(open_way: Callable[..., Way], request: pytest.FixtureRequest) -> Way:
    """The same, with subscribers in the folder and in the database."""
    return open_way(settings=f"subscribers: {request.param}\n")


def test_from_the_form_to_a_reader(anywhere):
    way = anywhere
    answer = way.ask()
    assert (answer.status_code, answer.headers["location"]) == (303, "/subscribe/sent")
    assert "Look into your mail" in way.site.client.get("/subscribe/sent").text
    assert roster.named(way.now, "nia@example.org") is None, "nobody is a reader before confirming"
    link = way.link()
    for _ in range(2):
        page = way.site.client.get(link)
        assert page.status_code == 200
        assert "nia@example.org" in page.text
    assert roster.named(way.now, "nia@example.org") is None, "GET changes nothing"
    way.site.clock.later(hours=1)
    answer = way.site.client.post(link)
    assert (answer.status_code, answer.headers["location"]) == (303, link)
    reader = roster.named(way.now, "NIA@example.org")
    assert reader.name.startswith("nia-")
    assert reader.display_name == "Nia"
    assert reader.timezone == "Africa/Nairobi"
    assert f"{reader.send_at:%H:%M}" == "08:15"
    assert sorted(reader.days) == [1, 2, 3, 4, 5]
    assert [one.text for one in reader.profile.interests] == ["graph neural networks", "why large models hallucinate"]
    assert reader in readers(way.now)


def test_consent_is_recorded_with_time_and_source(way):
    way.ask()
    asked = way.site.clock()
    link = way.link()
    way.site.clock.later(minutes=30)
    way.site.client.post(link)
    said = consents(way.now.engine, address=address_hash("nia@example.org", way.now.key))
    assert [(one.event, one.at) for one in said] == [("asked", asked), ("confirmed", way.site.clock())]
    assert said[0].source == "the form at https://papers.example.org/"
    assert {one.subscriber for one in said} == {roster.named(way.now, "nia@example.org").name}


def test_the_page_after_it_says_when_the_first_letter_comes(way):
    way.ask(send_at="18:00", timezone="Europe/London")
    link = way.link()
    way.site.client.post(link)
    page = way.site.client.get(link).text
    assert "Tuesday, 27 May 2025 at 18:00 (Europe/London)" in page
    assert re.search(r'href="(https://papers\.example\.org/p/[^"]+)"', page)


def test_today_s_letter_is_announced_where_it_is_still_due(way):
    """08:15 in Nairobi was less than eight hours ago, and the service sends what is that late."""
    way.ask()
    link = way.link()
    way.site.client.post(link)
    assert "in the next minutes" in way.site.client.get(link).text
    reader = roster.named(way.now, "nia@example.org")
    skip = Skip("daily/2025-05-26", reader.name, reader.email, "sent, say")  # fetched before 08:15 in Nairobi
    ledger.plan(way.now.engine, skip.edition, [skip], way.site.clock(), key=way.now.key)
    assert "Wednesday, 28 May 2025 at 08:15" in way.site.client.get(link).text


def test_a_link_confirms_once_and_says_so_kindly(way):
    way.ask()
    link = way.link()
    for _ in range(3):
        assert way.site.client.post(link).status_code == 303
    assert sum(one.email == "nia@example.org" for one in readers(way.now)) == 1
    assert len(consents(way.now.engine, address=address_hash("nia@example.org", way.now.key))) == 2
    page = way.site.client.get(link)
    assert page.status_code == 200
    assert "nothing more to do" in page.text
    roster.remove_subscriber(way.now, roster.named(way.now, "nia@example.org").name)
    assert "has done its work" in way.site.client.get(link).text
    way.site.client.post(link)
    assert roster.named(way.now, "nia@example.org") is None, "a used link brings nobody back"


def test_of_two_mails_either_confirms_and_the_other_is_used_with_it(way):
    way.ask()
    first = way.link()
    way.ask(name="Nia again")
    second = way.link()
    way.site.client.post(second)
    assert way.site.client.post(first).status_code == 303
    assert [one.display_name for one in readers(way.now) if one.email == "nia@example.org"] == ["Nia again"]


@pytest.mark.parametrize("hours", [72.1, 24 * 30])
def test_a_link_that_is_too_old_says_so_and_makes_nobody(way, hours):
    way.ask()
    link = way.link()
    way.site.clock.later(hours=hours)
    assert way.site.client.post(link).status_code == 303
    page = way.site.client.get(link)
    assert page.status_code == 410
    assert "expired" in page.text
    assert roster.named(way.now, "nia@example.org") is None


def test_a_link_still_works_in_its_last_minutes(way):
    way.ask()
    link = way.link()
    way.site.clock.later(hours=71.9)
    way.site.client.post(link)
    assert roster.named(way.now, "nia@example.org") is not None


def test_forged_and_foreign_tokens_open_nothing(way):
    way.ask()
    token = way.link().removeprefix("/confirm/")
    others = [
        token[:-2], token + "x", "x", "." * 40, "%00", token.swapcase(),
        way.site.desk.sign("preferences", token.split(".")[0]), way.site.desk.sign("confirm", "a", "b"),
    ]  # fmt: skip
    for other in others:
        assert way.site.client.get(f"/confirm/{other}").status_code == 404, other
        way.site.client.post(f"/confirm/{other}")
    # ours by its signature, and no request's
    assert way.site.client.get(f"/confirm/{way.site.desk.sign('confirm', 'a guess')}").status_code == 410
    assert roster.named(way.now, "nia@example.org") is None


def _normal(answer: Any) -> tuple[int, dict[str, str], str]:
    return answer.status_code, dict(answer.headers), answer.text


def test_the_answer_is_the_same_whoever_reads(way):
    """Known, waiting, closed by a bounce, and new."""
    suppress(way.now.engine, "gone@example.org", "bounced", way.site.clock(), key=way.now.key)
    addresses = ["new@example.org", "new@example.org", "ada@example.org", "ADA@EXAMPLE.ORG", "gone@example.org"]
    answers = [_normal(way.ask(email=one)) for one in addresses]
    assert all(answer == answers[0] for answer in answers)
    to = sorted((one.recipient, email.message_from_bytes(one.data)["Subject"]) for one in way.box.messages)
    assert to == [
        ("ada@example.org", "You already get Trending papers"), ("ada@example.org", "You already get Trending papers"),
        ("new@example.org", "Confirm your address for Trending papers"),
        ("new@example.org", "Confirm your address for Trending papers"),
    ]  # fmt: skip


def test_what_is_done_before_the_answer_is_the_same_whoever_reads(way):
    """The same statements in the same order: time cannot tell either. The mail is written after the answer."""
    said: list[list[str]] = []

    def note(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        said[-1].append(statement)

    sa.event.listen(way.site.workspace.engine, "before_cursor_execute", note)
    for address in ("new@example.org", "ada@example.org"):
        said.append([])
        subscribing.ask(way.site.workspace, address, "email: x\n", host="192.0.2.1", source="", at=way.site.clock())
    assert said[0] == said[1]
    assert said[0]


def test_a_similar_address_gets_no_link_of_the_reader_s(way):
    """``ß`` and ``ss`` count as one address, so that nobody gets two letters, and may be two mailboxes."""
    way.ask(email="strasse@example.org")
    stranger = way.link()
    way.ask(email="straße@example.org")
    way.site.client.post(way.link())
    way.ask(email="strasse@example.org")
    assert way.box.messages.pop().recipient == "straße@example.org"
    way.site.client.post(stranger)
    page = way.site.client.get(stranger)
    assert page.status_code == 200
    assert "/p/" not in page.text
    assert sum(one.email.startswith("stra") for one in readers(way.now)) == 1


def test_who_reads_already_gets_the_link_to_their_preferences(way):
    way.ask(email="ada@example.org")
    mail = way.mail()
    token = re.search(r"/p/(\S+)", mail.get_body(("plain",)).get_content())[1]
    name, hashed = way.site.desk.read("preferences", token)
    assert (name, hashed) == ("ada", way.site.desk.hash("ada@example.org"))
    assert "/confirm/" not in mail.as_string()
    assert way.site.document("ada") == (way.site.folder / "config/subscribers/ada.yaml").read_text()


def test_who_had_left_comes_back_with_what_they_had(way):
    key = way.now.key
    withdrawal.withdraw(way.now, address_hash("ada@example.org", key), "ada", source="test", at=way.site.clock())
    way.ask(email="ada@example.org", interests="protein design")
    assert withdrawal.withdrawn(way.now, "ada@example.org"), "asking alone changes nothing"
    link = way.link()
    way.site.client.post(link)
    assert not withdrawal.withdrawn(way.now, "ada@example.org")
    reader = roster.named(way.now, "ada@example.org")
    assert reader.name == "ada"
    assert [one.text for one in reader.profile.interests][-1] == "protein design"
    assert len(reader.profile.interests) == 3
    assert "# the main one" in way.site.document("ada")
    assert "You are a reader" in way.site.client.get(link).text


def test_no_letter_goes_before_the_confirmation(way):
    way.ask()
    day = way.site.clock().date() + timedelta(days=1)
    assert "nia@example.org" not in {one.email for one in pipeline.workspace.expected(way.now, day)}
    way.site.client.post(way.link())
    assert "nia@example.org" in {one.email for one in pipeline.workspace.expected(way.now, day)}


def test_a_bounce_or_complaint_closes_an_address_for_good(way):
    suppress(way.now.engine, "nia@example.org", "complaint", way.site.clock(), key=way.now.key)
    way.ask()
    assert way.box.messages == []


def test_three_mails_a_day_for_an_address(way):
    assert [way.ask().status_code for _ in range(5)] == [303] * 5
    assert len(way.box.messages) == 3
    way.site.clock.later(hours=25)
    way.ask()
    assert len(way.box.messages) == 4


def test_twenty_an_hour_for_a_network(way):
    said = [way.ask(email=f"reader{n}@example.org").status_code for n in range(21)]
    assert said == [303] * 20 + [429]
    way.site.clock.later(hours=1.1)
    assert way.ask(email="late@example.org").status_code == 303


@pytest.mark.parametrize(
    ("host", "network"),
    [
        ("203.0.113.77", "203.0.113.0/24"), ("2001:db8:1:2::3", "2001:db8:1::/48"), (None, "unknown"),
    ],
)  # fmt: skip
def test_neighbours_share_a_network(host, network):
    assert subscribing.site_of(host) == network


def test_networks_are_counted_apart_and_kept_as_hashes(way):
    for n in range(20):
        way.ask(email=f"reader{n}@example.org")
    elsewhere = TestClient(way.site.client.app, base_url="https://papers.example.org", client=("203.0.113.9", 5000))
    assert elsewhere.post("/subscribe", data=FORM, follow_redirects=False).status_code == 303
    with way.now.engine.connect() as connection:
        rows = connection.execute(sa.select(REQUESTS)).all()
    assert not any("203.0.113" in str(value) for row in rows for value in row)


def test_a_machine_that_fills_in_every_field_is_thanked_and_forgotten(way):
    answer = way.ask(website="https://spam.example")
    assert (answer.status_code, answer.headers["location"]) == (303, "/subscribe/sent")
    assert way.box.messages == []
    with way.now.engine.connect() as connection:
        assert connection.execute(sa.select(REQUESTS)).all() == []


@pytest.mark.parametrize(
    "changes",
    [
        {"email": "nia@example.org\r\nBcc: victim@example.org"}, {"email": "nia@example.org\nBcc: victim@example.org"},
        {"email": "Nia <nia@example.org>"}, {"email": "a@example.org, b@example.org"},
        {"email": "nia@localhost\x00.org"},
    ],
)  # fmt: skip
def test_an_address_that_would_break_out_of_its_header_is_refused(way, changes):
    assert way.ask(**changes).status_code == 422
    assert way.box.messages == []


def test_a_name_cannot_break_out_and_is_in_no_mail(way):
    """What strangers type is not sent to others: the form is no way to write to them."""
    evil = 'Nia"\r\nBcc: victim@example.org\r\n\r\n<script>alert(1)</script> buy at https://spam.example'
    way.ask(name=evil, interests="visit https://spam.example")
    mail = way.mail()
    assert mail["Bcc"] is None
    assert mail["To"] == "nia@example.org"
    assert "spam" not in mail.as_string()
    assert way.box.messages == []


def test_what_was_typed_comes_back_escaped(way):
    evil = '"><script>alert(1)</script>{{ 7*7 }}'
    page = way.ask(email=evil, name=evil, interests=evil, timezone=evil, days=evil, send_at=evil)
    assert page.status_code == 422
    assert "<script>alert" not in page.text
    assert "{{ 7*7 }}" in unescape(page.text)
    assert page.text.count('aria-invalid="true"') == 4  # address, days, time, zone
    preview = way.site.client.post("/subscribe/preview", data={"interests": evil}, headers={"X-Fragment": "yes"})
    assert "<script>" not in preview.text


@pytest.mark.parametrize(
    ("changes", "field", "said"),
    [
        ({"email": ""}, "email", "Write the address"),
        ({"email": "nia"}, "email", "must have an @-sign"),
        ({"email": "nia@example"}, "email", "has no dot"),
        ({"interests": "fine\n" + "x" * 10_000}, "interests", "Line 2: 10,000 characters; at most 2,000"),
        ({"interests": "\n".join(f"interest {n}" for n in range(201))}, "interests", "at most 200"),
        ({"send_at": "25:00"}, "send_at", "Not a time of day"),
        ({"timezone": "London"}, "timezone", "did you mean &#39;Europe/London&#39;"),
        ({"days": "weekly-someday"}, "days", "nknown"),
        ({"name": "n" * 300}, "name", "at most 200"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field_and_what_was_typed_stays(way, changes, field, said):
    page = way.ask(**changes)
    assert page.status_code == 422
    beside = re.search(rf'<span class="wrong" id="wrong-{field}">(.*?)</span>', page.text, re.DOTALL)
    assert beside, page.text
    assert said in beside[1]
    assert re.search(rf'name="{field}"[^>]*aria-invalid="true"[^>]*aria-describedby="wrong-{field}', page.text)
    assert page.text.count('class="wrong"') == 1
    assert 'value="Nia"' in page.text or field == "name"
    assert way.box.messages == []


def test_addresses_of_every_language_are_taken_as_check_takes_them(way):
    way.ask(email="nia@bücher.example")
    assert way.box.messages[-1].recipient == "nia@xn--bcher-kva.example"
    way.site.client.post(way.link())
    assert roster.named(way.now, "nia@xn--bcher-kva.example") is not None
    way.ask(email="ñandú@example.org")
    assert way.box.messages[-1].recipient == "ñandú@example.org"
    way.site.client.post(way.link())
    assert roster.named(way.now, "ÑANDÚ@example.org") is not None


def test_a_reader_who_names_no_interest_is_welcome(way):
    way.ask(interests="  \n\n", name="")
    way.site.client.post(way.link())
    assert roster.named(way.now, "nia@example.org").profile.interests == ()


@pytest.mark.parametrize(
    "interests", ["no", "- 1234.5", "yes: {no}", "2025-01-01", "'quoted'", "# hash", "null", "a: b"]
)
def test_interests_that_look_like_yaml_are_text(way, interests):
    way.ask(interests=interests, name="no")
    way.site.client.post(way.link())
    reader = roster.named(way.now, "nia@example.org")
    assert [one.text for one in reader.profile.interests] == [interests.removeprefix("- ")]
    assert reader.display_name == "no"


def test_the_mail_is_one_that_providers_take(way):
    """Text and HTML of one content, no list headers, answering machines silenced, escaped."""
    way.ask()
    mail = way.mail()
    assert mail["From"] == "Papers <papers@example.org>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["List-Unsubscribe"] is None
    assert mail["Date"]
    assert mail["Message-ID"].endswith("@example.org>")
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
    text, html = (mail.get_body((kind,)).get_content() for kind in ("plain", "html"))
    link = re.search(r"https://\S+/confirm/\S+", text)[0]
    assert f'href="{link}"' in html
    assert max(map(len, (line for line in text.splitlines() if "://" not in line))) <= 72
    assert len(mail.as_bytes()) < 20_000
    assert "until 30 May 2025, 09:00 UTC" in " ".join(text.split())


def test_the_mail_is_signed_where_letters_are(open_way, tmp_path):
    import dkim
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ed25519

    key = ed25519.Ed25519PrivateKey.generate()
    pem = tmp_path / "dkim.pem"
    form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    pem.write_bytes(key.private_bytes(serialization.Encoding.PEM, *form))
    way = open_way(settings=f"dkim: {{domain: example.org, selector: s1, key_file: {pem}}}\n")
    way.ask()
    import base64

    raw = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    record = b"v=DKIM1; k=ed25519; p=" + base64.b64encode(raw)
    assert dkim.verify(way.box.messages[-1].data, dnsfunc=lambda name, timeout=5: record)


def test_mail_that_cannot_go_is_no_error_for_the_asker(open_way):
    way = open_way(replace={"security: none": "security: none, timeout: 1"})
    way.site.desk._workspace = replace(
        way.site.workspace,
        settings=way.site.workspace.settings.model_copy(
            update={"smtp": way.site.workspace.settings.smtp.model_copy(update={"port": 9})}
        ),
    )
    assert way.ask().status_code == 303


def test_without_subscription_there_is_no_form_and_no_way_to_post(open_way):
    way = open_way(replace={"web: {}": "web: {subscribe: false}"})
    page = way.site.client.get("/")
    assert page.status_code == 200
    assert "<form" not in page.text
    assert "In the edition of 27 May" in page.text
    assert way.ask().status_code == 404
    assert way.site.client.post("/subscribe/preview", data=FORM).status_code == 404
    assert way.site.client.get("/subscribe/sent").status_code == 404


def test_the_first_page_says_what_today_holds(way):
    page = way.site.client.get("/")
    assert page.status_code == 200
    assert page.headers["cache-control"] == "public, max-age=60"
    assert "In the edition of 27 May" in page.text
    assert re.search(r"\d+ papers in \d+ themes", page.text)
    counts = [int(number) for number in re.findall(r"(\d+) papers?(?:, \w+)?</span>", page.text)]
    assert counts == sorted(counts, reverse=True)
    assert way.site.client.head("/").status_code == 200
    assert way.site.client.get("/subscribe").headers["location"] == "/#subscribe"


def test_the_first_page_without_any_edition(way):
    way.site.clock.moment -= timedelta(days=400)
    page = way.site.client.get("/")
    assert page.status_code == 200
    assert "No papers have been read yet" in page.text


def test_the_preview_shows_what_the_letter_would_hold_and_stores_nothing(way):
    fragment = {"X-Fragment": "yes"}
    first, second = (
        way.site.client.post("/subscribe/preview", data={"interests": text}, headers=fragment).text
        for text in ("video generation with diffusion models", "reasoning of language models")
    )
    assert "<html" not in first
    assert "Your letter of Tuesday, 27 May 2025" in first
    assert first != second
    page = way.site.client.post("/subscribe/preview", data=FORM)
    assert page.status_code == 200
    assert "<html" in page.text
    assert "Your letter of" in page.text
    assert 'value="nia@example.org"' in page.text
    assert "graph neural networks\nwhy large" in page.text
    with way.now.engine.connect() as connection:
        assert connection.execute(sa.select(REQUESTS)).all() == []
    assert way.box.messages == []


def test_a_preview_of_too_much_says_so(way):
    answer = way.site.client.post("/subscribe/preview", data={"interests": "x" * 10_000}, headers={"X-Fragment": "yes"})
    assert answer.status_code == 200
    assert "needs mending" in answer.text
    assert "at most 2,000" in way.site.client.post("/subscribe/preview", data={"interests": "x" * 10_000}).text


def test_previews_are_limited_by_network(way):
    way.site.client.app.state.previews = Meter(3, window=timedelta(minutes=1))
    said = [way.site.client.post("/subscribe/preview", data=FORM) for _ in range(4)]
    assert [answer.status_code for answer in said] == [200, 200, 200, 429]
    assert said[-1].headers["retry-after"] == "60"
    way.site.clock.later(minutes=1)
    assert way.site.client.post("/subscribe/preview", data=FORM).status_code == 200


@pytest.mark.parametrize("path", ["/subscribe", "/subscribe/preview"])
def test_forms_that_are_none_are_refused_without_an_error_of_ours(way, path):
    client = way.site.client
    assert client.post(path, content=b"\xff\xfe", headers={"Content-Type": "application/json"}).status_code < 500
    assert client.post(path, files={"interests": b"x"}).status_code < 500
    assert client.post(path, data=FORM | {"interests": "x" * 300_000}).status_code == 413
    assert client.post(path, content=b"email=%ff%fe&interests=%00").status_code < 500
    assert way.box.messages == []
