"""The way out: at once, for everyone, and never by looking."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
import sqlalchemy as sa

from newsletter import pipeline
from newsletter.pipeline import courier, withdrawal
from newsletter.pipeline.links import link_keys, unsubscribe_link
from newsletter.store import ledger
from newsletter.store.consents import consents
from newsletter.store.suppression import address_hash, allow, is_suppressed, suppress
from newsletter.store.tables import CONSENTS, METADATA, SUPPRESSIONS
from newsletter.tokens import sign

ONE_CLICK = {"List-Unsubscribe": "One-Click"}
BASE = "https://papers.example.org"


def _path(site, name="ada", email=None) -> str:
    link = unsubscribe_link(site.workspace, name, email or f"{name}@example.org", at=site.clock())
    return link.removeprefix(site.workspace.settings.base_url)


def _stopped(site, email="ada@example.org"):
    return is_suppressed(site.workspace.engine, email, key=site.workspace.key)


def _rows(site) -> dict[str, list]:
    """Every row of every table."""
    with site.workspace.engine.connect() as connection:
        return {t.name: sorted(map(repr, connection.execute(sa.select(t)))) for t in METADATA.sorted_tables}


@pytest.mark.parametrize("way", ["urlencoded", "multipart"])
def test_one_click_is_answered_with_200_and_counts_at_once(site, way):
    """RFC 8058, 3.1 and 3.2: no cookie, no login, no redirect, in both encodings of a form."""
    body = {"data": ONE_CLICK} if way == "urlencoded" else {"files": {"List-Unsubscribe": (None, "One-Click")}}
    answer = site.client.post(_path(site), **body)
    assert answer.status_code == 200
    assert "set-cookie" not in answer.headers
    assert _stopped(site).reason == "unsubscribed"
    (consent,) = consents(site.workspace.engine, subscriber="ada")
    assert (consent.event, consent.source, consent.at) == ("unsubscribed", "one click", site.clock())


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"", ""),
        (b"List-Unsubscribe=One-Click", "text/plain"),
        (b"--x\r\nbroken", "multipart/form-data; boundary=x"),
        (b"\xff\xfe%zz&=&&", "application/x-www-form-urlencoded"),
        (b"list-unsubscribe=one-click&a=" + b"x" * 9000, "application/x-www-form-urlencoded; charset=x"),
    ],
)
def test_whatever_else_is_in_the_body_the_reader_is_let_go(site, content, kind):
    answer = site.client.post(_path(site), content=content, headers={"Content-Type": kind} if kind else {})
    assert answer.status_code == 200
    assert _stopped(site)


def test_saying_it_again_changes_nothing(site):
    path = _path(site)
    site.client.post(path, data=ONE_CLICK)
    before = _rows(site)
    site.clock.later(days=3)
    assert site.client.post(path, data=ONE_CLICK).status_code == 200
    assert _rows(site) == before


def test_readers_who_are_erased_or_unknown_or_have_moved_are_let_go_too(site):
    """The link is the address's, and it never expires."""
    path, strange = _path(site), _path(site, "nobody", "nobody@example.org")
    (site.folder / "config" / "subscribers" / "ada.yaml").unlink()
    site.clock.later(days=4000)
    assert site.client.post(path, data=ONE_CLICK).status_code == 200
    assert site.client.post(strange, data=ONE_CLICK).status_code == 200
    assert _stopped(site)
    assert _stopped(site, "nobody@example.org")
    assert site.client.get(path).status_code == 200
    assert "Start again" not in site.client.get(path).text


def test_a_link_sent_to_an_old_address_stops_that_address_alone(site):
    path, file = _path(site), site.folder / "config" / "subscribers" / "ada.yaml"
    file.write_text(file.read_text().replace("ada@example.org", "ada@new.example.org"))
    assert site.client.post(path, data=ONE_CLICK).status_code == 200
    assert _stopped(site)
    assert _stopped(site, "ada@new.example.org") is None
    assert "new.example.org" not in site.client.get(path).text
    site.client.post(f"{path}/again")
    assert _stopped(site)


def test_looking_changes_nothing_and_shows_one_button(site):
    path, before = _path(site), _rows(site)
    for _ in range(2):
        answer = site.client.get(path)
        assert answer.status_code == site.client.head(path).status_code == 200
        assert answer.text.count("<button") == 1
        assert "a…@example.org" in answer.text
        assert "ada@example.org" not in answer.text
    options = site.client.options(path)
    assert (options.status_code, options.headers["allow"]) == (204, "GET, HEAD, POST, OPTIONS")
    assert site.client.put(path).status_code == 405
    assert _rows(site) == before


def test_by_hand_the_page_says_so_and_offers_the_way_back(site):
    path = _path(site)
    answer = site.client.post(path, data={"page": "yes"})
    assert (answer.status_code, answer.headers["location"]) == (303, path)
    page = site.client.get(path).text
    assert "You get no more letters" in page
    assert page.count("<button") == 1
    answer = site.client.post(f"{path}/again")
    assert (answer.status_code, answer.headers["location"]) == (303, f"{path}?again=yes")
    assert "You get letters again" in site.client.get(f"{path}?again=yes").text
    assert _stopped(site) is None
    assert [one.event for one in consents(site.workspace.engine, subscriber="ada")] == ["unsubscribed", "resumed"]
    assert [one.source for one in consents(site.workspace.engine, subscriber="ada")] == ["page", "page"]


def test_starting_again_lifts_no_bounce(site):
    path = _path(site)
    suppress(site.workspace.engine, "ada@example.org", "bounced (5.1.1)", site.clock(), key=site.workspace.key)
    before = _rows(site)
    assert site.client.post(f"{path}/again").status_code == 303
    assert _rows(site) == before
    site.client.post(path, data=ONE_CLICK)
    assert _stopped(site).reason == "unsubscribed"
    assert withdrawal.withdrawn(site.workspace, "Ada@Example.org")
    assert allow(site.workspace.engine, "ada@example.org", key=site.workspace.key)
    assert not withdrawal.withdrawn(site.workspace, "ada@example.org")


def test_forged_tokens_and_those_of_another_purpose_open_nothing(site):
    before = _rows(site)
    keys, hashed = (
        link_keys(site.workspace.settings, site.workspace.key),
        address_hash("ada@example.org", site.workspace.key),
    )
    good = _path(site).removeprefix("/u/")
    wrong = [
        sign(keys, purpose, "ada", hashed, at=site.clock()) for purpose in ("letter", "preferences", "confirm", "data")
    ]
    wrong += [
        good[:-1] + ("A" if good[-1] != "A" else "B"),
        good.replace(".", ""),
        "x",
        "x" * 5000,
        "%00",
        "..%2f..%2fetc",
    ]
    wrong += [sign([b"another key of 16"], "unsubscribe", "ada", hashed, at=site.clock())]
    wrong += [sign(keys, "unsubscribe", "ada", at=site.clock())]
    for token in wrong:
        for answer in (
            site.client.get(f"/u/{token}"),
            site.client.post(f"/u/{token}", data=ONE_CLICK),
            site.client.post(f"/u/{token}/again"),
        ):
            assert answer.status_code == 404, token
    assert _rows(site) == before


def test_behind_a_path_the_page_leads_back_to_itself(make_site):
    site = make_site(base="https://example.org/papers")
    path = _path(site)
    answer = site.client.post(path, data={"page": "yes"})
    assert (answer.status_code, answer.headers["location"]) == (303, f"/papers{path}")
    assert f'action="/papers{path}/again"' in site.client.get(path).text


def test_a_hundred_at_once_leave_one_row(served):
    base, site = served
    path = _path(site)
    with httpx.Client() as client, ThreadPoolExecutor(20) as pool:
        posts = [pool.submit(client.post, base + path, data=ONE_CLICK) for _ in range(100)]
        assert {post.result().status_code for post in posts} == {200}
    with site.workspace.engine.connect() as connection:
        for table in (SUPPRESSIONS, CONSENTS):
            assert connection.scalar(sa.select(sa.func.count()).select_from(table)) == 1


def test_in_the_middle_of_a_run_no_letter_goes_any_more(served, monkeypatch):
    """One letter is out, the other one waits, claimed and sealed; its reader leaves on the web; the run goes on."""
    base, site = served
    engine, edition = site.workspace.engine, f"daily/{site.clock().date()}"
    with engine.begin() as connection:
        connection.execute(sa.text("DELETE FROM deliveries"))
    readers = pipeline.readers(site.workspace)
    pipeline.plan(site.workspace, pipeline.prepare(site.workspace, site.clock().date()), readers, at=site.clock())
    left = []

    def one_is_out(done: int, _total: int, _what: str) -> None:
        if done == 1:
            (sent,) = ledger.deliveries(engine, edition, "sent")
            left.extend(reader.name for reader in readers if reader.name != sent.subscriber)
            assert httpx.post(base + _path(site, *left), data=ONE_CLICK).status_code == 200

    settings = site.workspace.settings
    one = settings.model_copy(update={"smtp": settings.smtp.model_copy(update={"connections": 1})})
    monkeypatch.setattr(courier, "_HANDS", 1)  # one letter after the other
    outbox = site.folder / "second"
    pipeline.deliver(
        replace(site.workspace, settings=one), edition, clock=site.clock, outbox=outbox, progress=one_is_out
    )
    assert len(list(outbox.rglob("*.eml"))) == 1
    (skipped,) = ledger.deliveries(engine, edition, "skipped")
    assert (skipped.subscriber, skipped.reason) == (*left, "suppressed: unsubscribed")


def test_no_later_edition_writes_to_who_has_left(site):
    site.client.post(_path(site), data=ONE_CLICK)
    day = site.clock().date() + timedelta(days=1)
    shutil.rmtree(site.folder / "outbox")
    edition = pipeline.prepare(site.workspace, day - timedelta(days=1))
    with site.workspace.engine.begin() as connection:
        connection.execute(sa.text("DELETE FROM deliveries"))
    pipeline.plan(site.workspace, edition, pipeline.readers(site.workspace), at=site.clock())
    states = {d.subscriber: d.state for d in ledger.deliveries(site.workspace.engine, edition.id)}
    assert states == {"ada": "skipped", "kenji": "planned"}


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_the_pages_are_for_everyone(served, browser, violations, scheme, width):
    """axe finds nothing, nothing is wider than the screen, targets are large; the button works without a script."""
    base, site = served
    context = browser.new_context(
        viewport={"width": width, "height": 800}, color_scheme=scheme, java_script_enabled=True, bypass_csp=True
    )
    page = context.new_page()
    page.goto(base + _path(site))
    for heading, press in (
        ("Unsubscribe", "Unsubscribe"),
        ("You get no more letters", "Start again"),
        ("You get letters again", ""),
    ):
        assert page.inner_text("h1") == heading
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        assert page.locator("button").bounding_box()["height"] >= 44
        if press:
            page.get_by_role("button", name=press).click()
    context.close()
