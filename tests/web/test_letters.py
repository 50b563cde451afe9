"""Letters in the browser: whose, whole, and with nothing that could run."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
import sqlalchemy as sa

from newsletter.letter.render import render
from newsletter.letter.templates import load_templates
from newsletter.model import Letter, Momentum, Section, Theme
from newsletter.pipeline import withdrawal
from newsletter.pipeline.links import letter_links, link_keys, preferences_link
from newsletter.pipeline.webview import letter_page, theme_shares
from newsletter.store import ledger
from newsletter.store import letters as frozen
from newsletter.store.tables import DELIVERIES

BASE = "https://papers.example.org"
EDITION = "daily/2025-05-27"


def sent(site, name: str = "ada") -> Letter:
    return frozen.frozen_letters(site.workspace.engine, EDITION)[name]


def links_of(site, letter: Letter):
    keys = link_keys(site.workspace.settings, site.workspace.key)
    return letter_links(BASE, keys, letter, key=site.workspace.key, at=site.clock())


@pytest.fixture
def view(site) -> str:
    """Where ada's letter of 27 May is in the browser."""
    return links_of(site, sent(site)).view.removeprefix(BASE)


@pytest.fixture
def mine(site) -> str:
    """Where the list of ada's letters is."""
    link = preferences_link(site.workspace, "ada", "ada@example.org", at=site.clock())
    return link.removeprefix(BASE) + "/letters"


def test_the_letter_is_shown_as_it_was_frozen(site, view):
    letter, answer = sent(site), site.client.get(view)
    assert answer.status_code == 200
    for entry in (*letter.top, *(e for s in letter.sections for e in s.entries)):
        assert entry.title.split("&")[0].split("'")[0][:30] in answer.text
    assert f'href="{BASE}/u/' in answer.text
    assert "View in browser" not in answer.text, "it is there already"


def test_its_own_policy_lets_nothing_run(site, view):
    answer = site.client.get(view)
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'; img-src https: data:")
    assert "script-src" not in policy
    assert "<script" not in answer.text
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"


def test_what_the_mail_had_no_room_for_is_there(site):
    """A letter of hundreds of papers is cut for mail programs; in the browser it is whole."""
    letter = sent(site)
    entry = letter.top[0]
    many = tuple(
        replace(entry, title=f"Paper {n:03d}", summary="A sentence that fills. " * 12, compact=True) for n in range(300)
    )
    theme = Theme("t", "A theme", (), (), Momentum("steady", 1, 1, 1))
    letter = replace(letter, sections=(Section(theme, many),))
    mailed = render(load_templates(), letter, links_of(site, letter))
    assert mailed.more > 0
    html = letter_page(site.workspace, letter, at=site.clock())
    assert all(f"Paper {n:03d}" in html for n in range(300))


def test_the_themes_are_a_chart_with_titles_and_a_table(site, view):
    text, shares = site.client.get(view).text, theme_shares(site.workspace, sent(site))
    assert shares
    assert sum(share.picked for share in shares) <= 6
    for share in shares:
        assert f"<title>{share.picked} of {share.papers} papers</title>" in text
        assert 0 < share.picked <= share.papers
    assert '<th scope="col">Theme</th>' in text


def test_the_public_edition_is_linked_where_it_is_public(make_site):
    for settings, there in (("{}", True), ("{archive: false}", False)):
        site = make_site(replace={"web: {}": f"web: {settings}"} if settings != "{}" else None)
        view = links_of(site, sent(site)).view.removeprefix(BASE)
        assert ('href="/editions/2025-05-27"' in site.client.get(view).text) is there


def test_text_of_papers_is_text(site, view):
    letter = sent(site)
    hostile = "<script>alert(1)</script>"
    entry = replace(letter.top[0], title=hostile, summary='"><img src=x onerror=alert(1)>')
    theme = Theme("t", "<b onclick=x>", (), (), Momentum("rising", 2, 1, 3, (1,) * 56))
    pick = replace(
        entry.pick, theme="t", paper=replace(entry.pick.paper, url="javascript:alert(1)", thumbnail="data:,x")
    )
    letter = replace(letter, top=(replace(entry, pick=pick),), sections=(Section(theme, (replace(entry, pick=pick),)),))
    html = letter_page(site.workspace, letter, at=site.clock())
    assert "<script" not in html
    assert "<img src=x" not in html
    assert "javascript:" not in html
    assert theme_shares(site.workspace, letter)[0].weeks == (7,) * 8


def test_the_list_leads_to_every_letter_that_was_sent(site, mine, view):
    text = site.client.get(mine).text
    (found,) = re.findall(r'href="(/l/[^"]+)"', text)
    assert site.client.get(found).text.count("<title>") == site.client.get(view).text.count("<title>")
    assert sent(site).subject.split("'")[0][:20] in text
    with site.workspace.engine.begin() as connection:
        connection.execute(sa.update(DELIVERIES).values(state="failed"))
    assert "None yet" in site.client.get(mine).text


def test_many_letters_are_paged(site, mine):
    letter = sent(site)
    for n in range(1, 61):
        edition = f"daily/2024-01-{n:02d}"
        ledger.plan(
            site.workspace.engine, edition, [replace(letter, edition=edition)], site.clock(), key=site.workspace.key
        )
    with site.workspace.engine.begin() as connection:
        connection.execute(sa.update(DELIVERIES).values(state="sent"))
    first = site.client.get(mine).text
    assert first.count('href="/l/') == 50
    (older,) = re.findall(r'href="(/p/[^"]+before=\d+)"', first)
    assert site.client.get(older).text.count('href="/l/') == 11
    for odd in ("x", "0", "-1", "1e3", str(2**31), "9" * 30):
        assert site.client.get(f"{mine}?before={odd}").status_code == 422


def test_a_letter_to_an_address_that_is_anothers_now_is_gone(site, view, mine):
    """The name was given to somebody else, who must not read the first one's letters, nor the first one theirs."""
    path = site.folder / "config" / "subscribers" / "ada.yaml"
    path.write_text(path.read_text().replace("ada@example.org", "other@example.org"))
    assert site.client.get(view).status_code == 404
    other = preferences_link(site.workspace, "ada", "other@example.org", at=site.clock()).removeprefix(BASE)
    assert "None yet" in site.client.get(f"{other}/letters").text
    token = site.desk.sign("letter", "ada", EDITION, site.desk.hash("other@example.org"))
    assert site.client.get(f"/l/{token}").status_code == 404


def test_an_old_letter_opens_the_preferences_no_longer(site, view):
    """Its own link works for ever, the links in it grow old with it. It still leads out, and to a fresh link."""
    links = set(re.findall(rf'href="{BASE}(/[pu]/[^"]+)"', site.client.get(view).text))
    inside = {link for link in links if link.startswith("/p/")}
    assert {re.sub(r"^/p/[^/]+", "", link) for link in inside} == {"", "/pause", "/letters"}
    assert {site.client.get(link).status_code for link in links} == {200}
    site.clock.later(days=site.desk.web.link_days)
    answer = site.client.get(view)
    assert answer.status_code == 200
    assert set(re.findall(rf'href="{BASE}(/[pu]/[^"]+)"', answer.text)) == links, "as of the letter's day, whenever"
    for link in inside:
        page = site.client.get(link)
        assert page.status_code == 410
        assert 'method="post" action="/p/' in page.text
        assert "/fresh" in page.text
    (way_out,) = links - inside
    assert site.client.get(way_out).status_code == 200
    assert site.client.post(way_out).status_code == 200
    assert withdrawal.withdrawn(site.workspace, "ada@example.org")


def test_an_edition_without_a_letter_is_not_there(site):
    for edition in ("daily/2025-05-26", "daily/1999-01-01", "", "x" * 300):
        token = site.desk.sign("letter", "ada", edition, site.desk.hash("ada@example.org"))
        assert site.client.get(f"/l/{token}").status_code == 404
