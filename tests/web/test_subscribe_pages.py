"""The first page and the confirmation in a real browser: accessible, in both schemes, narrow and wide, with and without
a script."""

from __future__ import annotations

from typing import Any

import pytest

from newsletter.pipeline import subscribing

DOCUMENT = "email: nia@example.org\nname: Nia\n"
VIEWS = [(scheme, width) for scheme in ("light", "dark") for width in (1280, 360)]


def _link(base: str, site: Any, email: str = "nia@example.org") -> str:
    document = DOCUMENT.replace("nia@example.org", email)
    pending = subscribing.ask(site.workspace, email, document, host="192.0.2.1", source="test", at=site.clock())
    assert isinstance(pending, subscribing.Pending)
    return f"{base}/confirm/{pending.token}"


@pytest.mark.slow
@pytest.mark.parametrize(("scheme", "width"), VIEWS)
def test_every_page_is_accessible_and_fits(served, browser, violations, scheme, width):
    base, site = served
    page = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme).new_page()
    wrong: list[str] = []

    def look(name: str) -> None:
        wrong.extend(f"{name}: {one}" for one in violations(page))
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            wrong.append(f"{name}: overflows")

    page.goto(base + "/")
    look("first page")
    page.fill("#interests", "video generation with diffusion models")
    page.wait_for_selector("#preview:not([hidden]) h2")
    look("preview")
    page.fill("#interests", "x" * 2500)
    page.fill("#email", "nobody")
    page.eval_on_selector("form", "form => form.submit()")
    page.wait_for_selector(".wrong")
    look("with mistakes")
    page.goto(base + "/subscribe/sent")
    look("sent")
    link = _link(base, site)
    page.goto(link)
    look("confirm")
    page.click("main button")
    page.wait_for_selector(".notice.good")
    look("confirmed")
    page.goto(link + "x")
    look("forged")
    site.clock.later(days=4)
    page.goto(link)
    look("expired")
    page.context.close()
    assert wrong == []


@pytest.mark.slow
def test_the_form_guesses_the_zone_and_shows_the_letter_while_one_types(served, browser):
    base, _ = served
    page = browser.new_context(timezone_id="Asia/Tokyo").new_page()
    failed: list[str] = []
    page.on("console", lambda said: failed.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: failed.append(str(error)))
    page.goto(base + "/")
    assert page.input_value("#timezone") == "Asia/Tokyo"
    assert page.is_hidden("#preview")
    page.fill("#interests", "video generation with diffusion models")
    page.wait_for_selector("#preview:not([hidden]) h2")
    first = page.inner_text("#preview")
    page.fill("#interests", "reasoning of large language models")
    page.wait_for_function("before => document.querySelector('#preview').innerText !== before", arg=first)
    assert page.url == base + "/"
    page.context.close()
    assert failed == []


@pytest.mark.slow
def test_the_way_in_needs_no_script(served, browser):
    base, site = served
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(base + "/")
    page.fill("#interests", "video generation with diffusion models")
    page.fill("#name", "Nia")
    page.click("text=Show what today")
    assert "Your letter of" in page.inner_text("#preview")
    assert page.input_value("#name") == "Nia"
    page.fill("#email", "nia@example.org")
    page.click("form .actions:not(.preview-button) button")
    assert page.url == base + "/subscribe/sent"
    page.goto(_link(base, site, "kim@example.org"))
    page.click("main button")
    assert "kim@example.org is confirmed" in page.inner_text("main")
    page.context.close()


@pytest.mark.slow
def test_the_keyboard_alone_is_enough(served, browser):
    """In order, past the field that is for machines alone."""
    base, _ = served
    page = browser.new_context().new_page()
    page.goto(base + "/")
    page.focus("#interests")
    reached = []
    for _ in range(12):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id || document.activeElement.textContent.trim()"))
    wanted = ["Show what today’s letter would hold", "email", "name", "days", "send_at", "timezone", "Subscribe"]
    assert [one for one in dict.fromkeys(reached) if one in wanted] == wanted
    assert "website" not in reached
    page.context.close()
