"""What readers say of papers: said by pressing a button, taken back by another, and heard the next day."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from email import message_from_bytes, policy
from urllib.parse import quote, urlsplit

import html5lib
import httpx
import pytest
import sqlalchemy as sa

from newsletter import pipeline
from newsletter.letter.view import paper_ref
from newsletter.model import Digest, Paper
from newsletter.pipeline.links import letter_links, link_keys, preferences_link
from newsletter.sources.bibliography import read_bibliography
from newsletter.store import archive, ledger, letters
from newsletter.store import feedback as store
from newsletter.store.feedback import Feedback
from newsletter.store.tables import FEEDBACK, METADATA
from newsletter.tokens import sign

DAY = date(2025, 5, 27)


def _rows(site) -> dict[str, list]:
    """Every row of every table."""
    with site.workspace.engine.connect() as connection:
        return {t.name: sorted(map(repr, connection.execute(sa.select(t)))) for t in METADATA.sorted_tables}


def _letter(site, name="ada"):
    engine = site.workspace.engine
    (delivery,) = ledger.deliveries(engine, f"daily/{DAY}", None, name)
    return letters.letters_of(engine, [delivery.id])[delivery.id]


def _links(site, name="ada"):
    settings, key = site.workspace.settings, site.workspace.key
    return letter_links(settings.base_url, link_keys(settings, key), _letter(site, name), key=key, at=site.clock())


def _path(site, kind, paper, name="ada") -> str:
    return f"{urlsplit(_links(site, name).feedback).path}/{kind}/{quote(paper, safe='/:')}"


def _pages(site, name="ada") -> str:
    link = preferences_link(site.workspace, name, f"{name}@example.org", at=site.clock())
    return urlsplit(link).path


def _said(site, name="ada") -> set[tuple[str, str]]:
    return {(one.paper, one.kind) for one in store.feedback(site.workspace.engine, [name]).get(name, ())}


def _paper_of(site) -> Paper:
    return _letter(site).top[0].pick.paper


@pytest.mark.parametrize("kind", ["more", "less", "save"])
def test_a_link_shows_the_paper_and_one_button_and_the_button_counts(site, kind):
    paper = _paper_of(site)
    path, before = _path(site, kind, paper.id), _rows(site)
    answer = site.client.get(path)
    assert answer.status_code == site.client.head(path).status_code == 200
    assert answer.text.count("<button") == 1
    assert 'name="undo"' not in answer.text
    assert _rows(site) == before
    answer = site.client.post(path)
    assert (answer.status_code, answer.headers["location"]) == (303, path)
    assert _said(site) == {(paper.id, kind)}
    page = site.client.get(path).text
    assert "Letters from tomorrow on" in page
    assert 'name="undo"' in page
    site.client.post(path, data={"undo": "yes"})
    assert _rows(site) == before


def test_the_page_leads_to_the_other_two_kinds_and_more_takes_back_less(site):
    paper = _paper_of(site)
    page = site.client.get(_path(site, "more", paper.id)).text
    for kind in ("less", "save"):
        assert f'href="{_path(site, kind, paper.id)}"' in page
    site.client.post(_path(site, "less", paper.id))
    site.client.post(_path(site, "save", paper.id))
    site.client.post(_path(site, "more", paper.id))
    assert _said(site) == {(paper.id, "more"), (paper.id, "save")}


def test_all_papers_of_a_letter_are_rated_on_one_page(site):
    letter, path = _letter(site), urlsplit(_links(site).feedback).path
    page = site.client.get(path)
    shown = re.findall(r'<li id="([^"]+)"', page.text)
    themed = [entry for section in letter.sections for entry in section.entries]
    entries = [*letter.top, *themed, *letter.trending, *letter.explore]
    assert shown == [entry.pick.paper.id for entry in entries]
    answer = site.client.post(_path(site, "less", shown[-1]), data={"back": "yes"})
    assert answer.headers["location"] == f"{path}#{shown[-1]}"
    assert site.client.get(path).text.count('aria-pressed="true"') == 1
    site.client.post(_path(site, "less", shown[-1]), data={"back": "yes", "undo": "yes"})
    assert _said(site) == set()


def test_a_hundred_at_once_leave_one_row(served):
    base, site = served
    paths = [base + _path(site, "save", _paper_of(site).id)] * 100
    with httpx.Client() as client, ThreadPoolExecutor(16) as pool:
        assert {answer.status_code for answer in pool.map(client.post, paths)} == {303}
    with site.workspace.engine.connect() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(FEEDBACK)) == 1


def test_only_papers_that_the_archive_knows_by_their_id_are_rated(site):
    before = _rows(site)
    strange = [
        "arxiv:9999.99999",
        "doi:10.1000/none",
        "x",
        "",
        _paper_of(site).title,
        "../../../etc/passwd",
        "%00",
        "a" * 9000,
    ]
    strange += [
        "arxiv:2503.01234'; DROP TABLE feedback; --",
        "<script>alert(1)</script>",
        "\u202earxiv:1",
        "https://x.org/a",
    ]
    for name in strange:
        for answer in (
            site.client.get(_path(site, "more", name)),
            site.client.post(_path(site, "more", name)),
        ):
            assert answer.status_code in (404, 405), name
            assert "<script>alert" not in answer.text
    for kind in ("click", "MORE", "", "more%2f"):
        assert site.client.post(_path(site, kind, _paper_of(site).id)).status_code == 404
    assert _rows(site) == before


@pytest.mark.parametrize(
    "name",
    [
        "doi:10.1000/a(b)<c>;d#e?f%2fg&h='i\"j",
        "doi:10.1000/a/../b",
        "doi:10.1000//x",
        "doi:10.1000/ü论",
        "doi:10.1000/a%b",
    ],
)
def test_a_link_for_any_id_leads_to_its_paper(served, name):
    """Through the letter's own link and a real server: neither takes a part of the id for a folder or a query."""
    _, site = served
    paper = Paper(name, "<b>Odd</b> & 'names'", "We name things.", url="javascript:alert(1)")
    archive.add_digest(site.workspace.engine, Digest("odd", DAY, (paper,)))
    known = archive.papers(site.workspace.engine, [name])[name]
    link = f"{_links(site).feedback}/save/{paper_ref(known.id)}"
    assert b".." not in httpx.URL(link).raw_path.split(b"/")
    answer = httpx.get(link)
    assert answer.status_code == 200
    assert "&lt;b&gt;Odd" in answer.text
    assert "javascript:" not in answer.text
    answer = httpx.post(link, follow_redirects=True)
    assert "Saved" in answer.text
    assert _said(site) == {(known.id, "save")}


def test_forged_tokens_and_those_of_others_rate_nothing(site):
    before, paper = _rows(site), _paper_of(site).id
    keys, now = link_keys(site.workspace.settings, site.workspace.key), site.clock()
    hashed, edition = site.desk.hash("ada@example.org"), f"daily/{DAY}"
    wrong = [
        sign(keys, purpose, "ada", edition, hashed, at=now)
        for purpose in ("preferences", "unsubscribe", "confirm", "data", "admin")
    ]
    wrong += [
        sign(keys, "letter", "kenji", edition, hashed, at=now),  # another reader's address
        sign(keys, "letter", "nobody", edition, hashed, at=now),
        sign([b"another key of 16"], "letter", "ada", edition, hashed, at=now),
        "x",
    ]
    for token in wrong:
        for path in (f"/f/{token}", f"/f/{token}/more/{paper}", f"/p/{token}/saved", f"/p/{token}/saved.bib"):
            if not (path.startswith("/p/") and token == wrong[0]):
                assert site.client.get(path).status_code == 404, path
        assert site.client.post(f"/f/{token}/more/{paper}").status_code == 404
    assert _rows(site) == before


def test_after_a_change_of_address_the_old_letters_open_nothing(site):
    path, saved = _path(site, "more", _paper_of(site).id), f"{_pages(site)}/saved"
    file = site.folder / "config" / "subscribers" / "ada.yaml"
    file.write_text(file.read_text().replace("ada@example.org", "ada@new.example.org"))
    for answer in (site.client.get(path), site.client.post(path), site.client.get(saved), site.client.post(saved)):
        assert answer.status_code in (404, 422)
    assert _said(site) == set()


def test_a_letter_does_not_open_the_pages_of_its_reader(site):
    """A letter is passed on more often than one thinks."""
    page = site.client.get(_path(site, "save", _paper_of(site).id)).text
    assert "/p/" not in page
    token = urlsplit(_links(site).feedback).path.removeprefix("/f/")
    assert site.client.get(f"/p/{token}/saved").status_code == 404


def test_what_was_saved_is_listed_newest_first_and_can_be_removed(site):
    letter = _letter(site)
    ids = [entry.pick.paper.id for entry in letter.top]
    assert "Nothing yet" in site.client.get(f"{_pages(site)}/saved").text
    for paper in ids:
        site.client.post(_path(site, "save", paper))
        site.clock.later(minutes=1)
    site.client.post(_path(site, "less", ids[0]))
    page = site.client.get(f"{_pages(site)}/saved").text
    assert re.findall(r'name="paper" value="([^"]+)"', page) == ids[::-1]
    answer = site.client.post(f"{_pages(site)}/saved", data={"paper": ids[1]})
    assert (answer.status_code, answer.headers["location"]) == (303, f"{_pages(site)}/saved")
    assert _said(site) == {(ids[0], "save"), (ids[0], "less"), (ids[2], "save")}
    assert site.client.post(f"{_pages(site)}/saved", data={"paper": "'\"><script>"}).status_code == 303


@pytest.mark.parametrize("suffix", ["bib", "ris"])
def test_what_was_saved_reads_back_from_the_reference_managers_file(site, suffix):
    saved = [entry.pick.paper for entry in _letter(site).top]
    for paper in saved:
        site.client.post(_path(site, "save", paper.id))
        site.clock.later(minutes=1)
    answer = site.client.get(f"{_pages(site)}/saved.{suffix}")
    assert answer.headers["content-disposition"] == f'attachment; filename="saved.{suffix}"'
    file = site.folder / f"saved.{suffix}"
    file.write_bytes(answer.content)
    assert [paper.id for paper in read_bibliography(file).papers] == [paper.id for paper in reversed(saved)]


def test_the_next_days_ranking_moves_by_it(site):
    """More of one paper puts those like it higher and says why; less of it puts them lower."""
    workspace, tomorrow = site.workspace, DAY
    edition = pipeline.prepare(workspace, tomorrow)
    (kenji,) = [reader for reader in pipeline.readers(workspace) if reader.name == "kenji"]
    before = {pick.paper.id: pick.score for pick in pipeline.choose(workspace, edition, [kenji])[0]}
    earlier = [
        paper for paper in archive.papers_of_day(workspace.engine, DAY - timedelta(days=1)) if "eason" in paper.title
    ]
    site.client.post(_path(site, "more", earlier[0].id, "kenji"))
    (more,) = pipeline.choose(workspace, edition, [kenji])
    liked = [
        pick for pick in more for reason in pick.reasons if reason.kind == "like" and reason.what == earlier[0].title
    ]
    assert liked
    assert {pick.paper.id: pick.score for pick in more} != before
    site.client.post(_path(site, "less", earlier[0].id, "kenji"))
    (less,) = pipeline.choose(workspace, edition, [kenji])
    lower = {pick.paper.id: pick.score for pick in less}
    assert all(lower.get(pick.paper.id, -1) < pick.score for pick in liked)
    site.client.post(_path(site, "less", earlier[0].id, "kenji"), data={"undo": "yes"})
    (undone,) = pipeline.choose(workspace, edition, [kenji])
    assert {pick.paper.id: pick.score for pick in undone} == before


def test_every_link_of_a_letter_may_be_looked_at_by_anyone(served):
    """Scanners open every link of a mail, often twice: nothing changes, and nobody is answered with an error."""
    base, site = served
    with site.workspace.engine.begin() as connection:
        connection.execute(sa.text("DELETE FROM deliveries"))
    outbox = site.folder / "looked-at"
    pipeline.send(site.workspace, DAY, at=site.clock(), outbox=outbox)
    mails = [message_from_bytes(file.read_bytes(), policy=policy.default) for file in outbox.rglob("*.eml")]
    assert len(mails) == 2
    found = set()
    for mail in mails:
        bodies = {part.get_content_type(): part.get_content() for part in mail.walk() if not part.is_multipart()}
        found |= {a.get("href") for a in html5lib.parse(bodies["text/html"], namespaceHTMLElements=False).iter("a")}
        found |= set(re.findall(r"https?://\S+", bodies["text/plain"]))
        found |= set(re.findall(r"<(https?://[^>]+)>", mail["List-Unsubscribe"] or ""))
    ours = sorted(link for link in found if link.startswith(base))
    assert {urlsplit(link).path[:3] for link in ours} == {"/l/", "/p/", "/u/", "/f/"}
    before = _rows(site)
    with httpx.Client() as client:
        for link in ours * 2:
            assert client.get(link).status_code == 200, link
            assert client.head(link).status_code in (200, 405), link
    assert _rows(site) == before


def test_the_links_of_a_test_letter_say_what_the_real_ones_do(site):
    links = letter_links(site.workspace.settings.base_url, (b"k",), _letter(site), key=b"k", at=site.clock(), test=True)
    for link in (links.view, links.preferences, links.unsubscribe, f"{links.feedback}/more/arxiv:2503.00001"):
        answer = site.client.get(link)
        assert answer.status_code == 200
        assert "This was a test letter" in answer.text
        assert site.client.head(link).status_code == 200
        assert site.client.post(link).status_code == 405


@pytest.mark.slow
@pytest.mark.parametrize("script", [True, False])
def test_pressing_a_button_of_the_list_marks_it_and_pressing_again_takes_it_back(served, browser, script):
    base, site = served
    context = browser.new_context(java_script_enabled=script)
    page = context.new_page()
    page.goto(base + urlsplit(_links(site).feedback).path)
    paper = page.locator("li[id]").nth(2)
    for pressed, kinds in ((True, {"less"}), (False, set())):
        with page.expect_response(lambda answer: answer.request.method == "POST"):
            paper.get_by_role("button", name="Less like this").click()
        paper.get_by_role("button", name="Less like this", pressed=pressed).wait_for()
        assert {kind for _, kind in _said(site)} == kinds
    if script:
        assert page.evaluate("document.activeElement.innerText").startswith("Less like this")
    context.close()


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_the_pages_are_for_everyone(served, browser, violations, scheme, width):
    """axe finds nothing, nothing is wider than the screen, and targets are large; pressed and not."""
    base, site = served
    paper = _paper_of(site).id
    store.record_feedback(site.workspace.engine, Feedback("ada", paper, "save", site.clock()))
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme, bypass_csp=True)
    page = context.new_page()
    whole = urlsplit(_links(site).feedback).path
    for path in (
        _path(site, "more", paper), _path(site, "save", paper), whole, "/test",
        f"{_pages(site)}/saved", f"{_pages(site, 'kenji')}/saved",
    ):  # fmt: skip
        assert page.goto(base + path).status == 200
        assert violations(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        boxes = [one.bounding_box() for one in page.locator("main button, main .ways a, main a.button").all()]
        assert all(box["height"] >= 34 and box["width"] >= 24 for box in boxes)
    context.close()
