"""The operator's pages: what they show, what their buttons do, what is written down of it, and how they look."""

from __future__ import annotations

import json
import re

import pytest
from operating import DAY, PAGES, PASSWORD, log_in, make_uncertain, send, token_of

from newsletter.store import audit, ledger


def test_a_resend_names_the_numbers_and_changes_the_ledger_alone(inside):
    make_uncertain(inside, "ada")
    asked = inside.client.get(f"/admin/editions/{DAY}/resend?state=uncertain")
    assert "1 letter of" in asked.text
    assert "gets it twice" in asked.text
    answer = send(inside, f"/editions/{DAY}/resend", state="uncertain", expected=1)
    assert answer.headers["location"] == f"/admin/editions/{DAY}?planned=1"
    counts = ledger.counts(inside.workspace.engine, f"daily/{DAY}")
    assert (counts["planned"], counts["uncertain"]) == (1, 0)
    assert "1 letter is planned again" in inside.client.get(answer.headers["location"]).text
    line = audit.audit(inside.workspace.engine, 1)[0]
    assert (line.actor, line.action, line.object) == ("operator", "resend", f"daily/{DAY}")


def test_a_resend_of_one_leaves_the_others(inside):
    for name in ("ada", "kenji"):
        make_uncertain(inside, name)
    send(inside, f"/editions/{DAY}/resend", state="uncertain", expected=1, reader="ada")
    counts = ledger.counts(inside.workspace.engine, f"daily/{DAY}")
    assert (counts["planned"], counts["uncertain"]) == (1, 1)


def test_a_resend_whose_numbers_have_changed_asks_again(inside):
    for name in ("ada", "kenji"):
        make_uncertain(inside, name)
    answer = send(inside, f"/editions/{DAY}/resend", state="uncertain", expected=1)
    assert answer.status_code == 422
    assert "it was 1 before, and is 2 now" in answer.text
    assert ledger.counts(inside.workspace.engine, f"daily/{DAY}")["uncertain"] == 2


@pytest.mark.parametrize("state", ["sent", "skipped", "nonsense"])
def test_what_was_sent_is_not_sent_again_from_here(inside, state):
    assert inside.client.get(f"/admin/editions/{DAY}/resend?state={state}").status_code == 404
    assert send(inside, f"/editions/{DAY}/resend", state=state, expected=2).status_code == 404


def test_an_edition_shows_every_answer_of_the_server_and_no_address(inside):
    ids = [row.id for row in ledger.deliveries(inside.workspace.engine, f"daily/{DAY}")]
    with inside.workspace.engine.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO delivery_attempts (delivery, at, event, phase, code, enhanced, text) VALUES "
            f"({ids[0]}, '2025-05-27 08:00:00', 'deferred', 'rcpt', 451, '4.7.1', '<ada@example.org> greylisted')"
        )
    text = inside.client.get(f"/admin/editions/{DAY}").text
    assert "451 4.7.1" in text
    assert "greylisted" in text
    assert "ada@example.org" not in text


def test_an_address_is_shown_when_asked_for_and_the_look_is_written_down(inside):
    before = inside.client.get("/admin/subscribers/ada").text + inside.client.get("/admin/subscribers").text
    assert "a…@example.org" in before
    assert "ada@example.org" not in before
    assert "email: ada@example.org" in send(inside, "/subscribers/ada/address").text
    line = audit.audit(inside.workspace.engine, 1)[0]
    assert (line.action, line.object) == ("look at an address", "ada")


def test_an_address_is_suppressed_and_allowed_again(inside):
    answer = send(inside, "/returns/suppress", address="Ada@Example.org", reason="asked")
    assert answer.headers["location"] == "/admin/returns?done=suppressed"
    shown = inside.client.get("/admin/returns").text
    assert "asked" in shown
    assert "example.org" not in shown.lower().replace("papers.example.org", "").replace("papers@example.org", "")
    assert "done=allowed" in send(inside, "/returns/allow", address="ada@example.org").headers["location"]
    assert "done=unknown" in send(inside, "/returns/allow", address="ada@example.org").headers["location"]


@pytest.mark.parametrize("what", ["suppress", "allow"])
def test_what_is_no_address_is_said_beside_the_field(inside, what):
    answer = send(inside, f"/returns/{what}", address="nobody")
    assert answer.status_code == 422
    assert f'id="{what}-wrong">This is not an e-mail address.' in answer.text
    assert 'value="nobody"' in answer.text


def test_a_test_letter_is_confirmed_and_sent_and_the_ledger_left_alone(make_site):
    from newsletter.mail.inbox import inbox

    with inbox() as box:
        site = make_site(replace={"port: 2525": f"port: {box.port}"})
        log_in(site.client)
        site.token = token_of(site.client.get("/admin/test"))
        counts = ledger.counts(site.workspace.engine, f"daily/{DAY}")
        asked = send(site, "/test", reader="ada", address="me@example.net")
        assert "1 letter: ada" in asked.text
        assert box.messages == []
        assert send(site, "/test/send", reader="ada", address="me@example.net").status_code == 303
        assert len(box.messages) == 1
        assert ledger.counts(site.workspace.engine, f"daily/{DAY}") == counts
    assert "accepted" in site.client.get("/admin/test").text
    assert "me@example.net" not in site.client.get("/admin/log").text


def test_a_test_letter_that_no_server_takes_says_so(inside):
    assert send(inside, "/test/send", reader="ada", address="me@example.net").status_code == 303
    assert re.search(r"ada: (deferred|stop|not sent)", inside.client.get("/admin/test").text)


def test_a_test_letter_to_nobody_is_refused_beside_the_fields(inside):
    answer = send(inside, "/test", reader="nobody", address="nothing")
    assert answer.status_code == 422
    assert 'id="reader-wrong"' in answer.text
    assert 'id="address-wrong"' in answer.text


def test_long_lists_have_pages(inside):
    for number in range(120):
        audit.record(inside.workspace.engine, audit.Entry(inside.clock(), "x", "y", f"line {number}"))
    first, third = (inside.client.get(f"/admin/log?page={page}").text for page in (1, 3))
    assert "line 119<" in first
    assert "Page 1 of 3" in first
    assert "line 0<" in third
    assert inside.client.get("/admin/log?page=0").status_code == 422


def test_hostile_text_stays_text(inside):
    """Subscribers, servers and sources write what they like: the pages show it, and nothing of it is markup."""
    evil = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>{{ 7 * 7 }}"
    text = inside.document("ada").replace("name: Ada", f"name: {json.dumps(evil)}")
    (inside.folder / "config" / "subscribers" / "ada.yaml").write_text(text)
    inside.desk._read = float("-inf")
    audit.record(inside.workspace.engine, audit.Entry(inside.clock(), evil, evil, evil, evil))
    with inside.workspace.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE deliveries SET reason = ?, state = 'failed'", (evil,))
        connection.exec_driver_sql("UPDATE delivery_attempts SET text = ?, event = 'bounced'", (evil,))
    for path in ("/subscribers", "/subscribers/ada", "/log", f"/editions/{DAY}", "/returns", f"/subscribers?q={evil}"):
        answer = inside.client.get(f"/admin{path}")
        assert answer.status_code == 200
        assert "<script>alert" not in answer.text
        assert "<img" not in answer.text
        assert "{{ 7 * 7 }}" in answer.text or path.endswith(evil), path


# ------------------------------------------------------------------ how they look


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_the_pages_are_accessible_and_fit(served, browser, violations, scheme, width):
    """axe-core finds nothing, and nothing sticks out, on every page of the operator."""
    base, site = served
    make_uncertain(site, "ada")
    context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 900})
    page = context.new_page()
    found, out = [], []

    def look(path: str) -> None:
        found.extend(f"{path}: {one}" for one in violations(page))
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            out.append(path)

    page.goto(f"{base}/admin")
    assert page.url.endswith("/admin/login")
    look("/login")
    page.fill("#username", "operator")
    page.fill("#password", "not this one")
    page.click("main button")
    look("/login again")
    page.fill("#password", PASSWORD)
    page.click("main button")
    assert page.url == f"{base}/admin"
    for path in PAGES:
        page.goto(f"{base}/admin{path}")
        for summary in page.query_selector_all("summary"):
            summary.click()
        look(path)
    page.goto(f"{base}/admin/returns")
    page.fill("#suppress", "me@example.net")
    page.click("text=Send nothing there")
    look("/returns, done")
    page.goto(f"{base}/admin/test")
    page.fill("#reader", "nobody")
    page.fill("#address", "me@example.net")
    page.click("main button")
    look("/test, wrong")
    page.fill("#reader", "ada")
    page.click("main button")
    look("/test, asked")
    page.click("text=Log out")
    assert page.url.endswith("/admin/login")
    context.close()
    assert (found, out) == ([], [])
