"""The reader's pages in a real browser: for everyone (axe-core), on every screen, and better with a script."""

from __future__ import annotations

from datetime import timedelta

import pytest

from newsletter.pipeline.links import letter_links, link_keys, preferences_link
from newsletter.store import letters as frozen
from newsletter.tokens import sign

pytestmark = pytest.mark.slow
LOOKS = [("light", 1280), ("dark", 1280), ("light", 360), ("dark", 360)]


def pages_of(base: str, site) -> dict[str, str]:
    """Every page that a reader sees, in each of its states."""
    workspace, hashed = site.workspace, site.desk.hash("ada@example.org")
    keys = link_keys(workspace.settings, workspace.key)
    link = preferences_link(workspace, "ada", "ada@example.org", at=site.clock())
    letter = frozen.frozen_letters(workspace.engine, "daily/2025-05-27")["ada"]
    old = sign(keys, "preferences", "ada", hashed, at=site.clock() - timedelta(days=400))
    return {
        "preferences": link, "saved": f"{link}?saved=yes", "pause": f"{link}/pause", "document": f"{link}/document",
        "letters": f"{link}/letters", "data": f"{link}/data", "sent": f"{link}/data?sent=yes",
        "letter": letter_links(base, keys, letter, key=workspace.key, at=site.clock()).view,
        "own": f"{base}/data/{site.desk.sign('data', 'ada', hashed)}", "expired": f"{base}/p/{old}",
        "fresh": f"{base}/p/{old}/fresh",
    }  # fmt: skip


def write(site, text: str) -> None:
    (site.folder / "config" / "subscribers" / "ada.yaml").write_text(text, "utf-8")


@pytest.mark.parametrize(("scheme", "width"), LOOKS)
def test_every_page_is_for_everyone_and_fits(served, browser, violations, scheme, width):
    base, site = served
    text = site.document("ada").replace("[medical imaging]", "[medical imaging, retrieval-augmented generation]")
    write(site, text + "likes: [arxiv:2505.19147]\npause_until: 2025-06-30\n")
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme, bypass_csp=True)
    found: dict[str, object] = {}
    for name, url in pages_of(base, site).items():
        page = context.new_page()
        page.goto(url)
        if name == "preferences":
            page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
            page.click("[data-show=preview]")
            page.wait_for_selector("#preview h2")
        over = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        if wrong := [*violations(page), *([f"{over} px too wide"] if over > 0 else [])]:
            found[name] = wrong
        page.close()
    page = context.new_page()
    page.goto(pages_of(base, site)["preferences"])
    for field, value in (("papers", "0"), ("timezone", "Mars"), ("weight-0", "-1")):
        page.evaluate(f"document.getElementById('{field}').value = '{value}'")
    page.evaluate("document.querySelector('form[data-live]').noValidate = true")
    page.click("button:has-text('Save')")
    assert page.locator(".wrong").count() == 3
    if wrong := violations(page):
        found["errors"] = wrong
    context.close()
    assert found == {}


def test_the_pages_keep_to_their_policy(served, browser):
    """No page asks for what its own Content-Security-Policy forbids, nor for anything of another host."""
    base, site = served
    context = browser.new_context()
    said: list[str] = []
    for name, url in pages_of(base, site).items():
        page = context.new_page()
        page.on("console", lambda m, name=name: said.append(f"{name}: {m.text}") if "Security" in m.text else None)
        page.on("request", lambda r, name=name: said.append(f"{name}: {r.url}") if not r.url.startswith(base) else None)
        page.goto(url)
        page.close()
    context.close()
    assert [one for one in said if not one.startswith("letter: https:")] == []  # a letter's thumbnails


def test_a_reader_changes_what_they_want(served, browser):
    """Add an interest, look at the preview while typing, save; the document has it."""
    base, site = served
    page = browser.new_page()
    page.goto(pages_of(base, site)["preferences"])
    spare = page.locator("#rows .interest:visible")
    shown = spare.count()
    for _ in range(6):
        page.click("[data-more]")
    assert spare.count() == shown + 6
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map((one) => one.id)")
    assert len(ids) == len(set(ids))
    page.fill("#interest-2", "video generation with diffusion models")
    assert page.locator("#preview").is_hidden()
    page.click("[data-show=preview]")
    page.wait_for_selector("#preview h2")
    page.fill("#interest-0", "mathematical reasoning")
    page.fill("#interest-1", "mathematical reasoning")
    page.locator("#preview", has_text="Matches “mathematical reasoning”").wait_for()
    page.check("#days-chosen")
    assert page.locator("#on-monday").is_visible()
    page.click("button:has-text('Save')")
    page.wait_for_selector(".notice.good")
    assert "  - mathematical reasoning  # the main one\n" in site.document("ada")
    assert "  - video generation with diffusion models\n" in site.document("ada")
    page.close()


def test_a_problem_of_the_document_leads_to_its_place(served, browser):
    base, site = served
    page = browser.new_page()
    page.goto(pages_of(base, site)["document"])
    page.fill("#document", "email: ada@example.org\npapers: 0\n")
    place = page.locator(".problems button")
    place.wait_for()
    assert place.text_content() == "Line 2, column 9"
    place.click()
    assert page.evaluate("document.activeElement.id") == "document"
    assert page.evaluate("document.activeElement.selectionStart") == len("email: ada@example.org\n") + 8
    page.close()


def test_it_all_works_without_a_script(served, browser):
    base, site = served
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(pages_of(base, site)["preferences"])
    page.fill("#interest-3", "graphs")
    page.click("button:has-text('Preview')")
    assert "Your letter of" in page.locator("#preview").text_content()
    page.click("button:has-text('Save')")
    assert "- graphs\n" in site.document("ada")
    page.goto(pages_of(base, site)["document"])
    page.fill("#document", "email: ada@example.org\npapers: 0\n")
    page.click("button:has-text('Check')")
    assert "Line 2, column 9" in page.locator(".problems").text_content()
    context.close()


def test_what_stands_in_the_way_of_a_preview_is_said(served, browser):
    """The link expires while the form is open: pressing the button leads to the page that says so."""
    base, site = served
    page = browser.new_context().new_page()
    page.goto(pages_of(base, site)["preferences"])
    site.clock.later(days=400)
    page.click("[data-show=preview]")
    page.wait_for_selector("form[action$='/fresh']")
    page.context.close()
