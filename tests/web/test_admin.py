"""The operator's pages: who may come in, what they show, what their buttons do, and what is written down of it."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from html import unescape

import pytest
from fastapi.testclient import TestClient

from newsletter.store import audit, ledger
from newsletter.store.audit import delay
from newsletter.web.app import create_app

ORIGIN = {"Sec-Fetch-Site": "same-origin"}
PASSWORD = "correct horse battery"
DAY = "2025-05-27"
PAGES = (
    "", "/editions", f"/editions/{DAY}", f"/editions/{DAY}?state=sent", f"/editions/{DAY}/resend?state=uncertain",
    "/subscribers", "/subscribers?q=ad", "/subscribers/ada", "/returns", "/themes", f"/themes?day={DAY}", "/test",
    "/log",
)  # fmt: skip


def token_of(answer) -> str:
    """The token of the page's forms."""
    return unescape(re.search(r'name="token" value="([^"]+)"', answer.text)[1])


def log_in(client, *, username: str = "operator", password: str = PASSWORD):
    token = token_of(client.get("/admin/login"))
    form = {"username": username, "password": password, "token": token}
    return client.post("/admin/login", data=form, headers=ORIGIN)


@pytest.fixture
def inside(site):
    """The site with a session of the operator, and the token of its forms."""
    assert log_in(site.client).status_code == 303
    site.token = token_of(site.client.get("/admin/test"))
    return site


def send(site, path: str, **form: object):
    return site.client.post(f"/admin{path}", data={"token": site.token, **form}, headers=ORIGIN)


def make_uncertain(site, name: str) -> None:
    with site.workspace.engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE deliveries SET state = 'uncertain' WHERE subscriber = '{name}'")


# ------------------------------------------------------------------ who may come in


@pytest.mark.parametrize("path", ["/login", *PAGES])
def test_there_is_nothing_where_admin_is_not_configured(make_site, path):
    site = make_site(replace={"admin: {password: correct horse battery}\n": ""})
    assert site.client.get(f"/admin{path}").status_code == 404
    assert site.client.post("/admin/login", data={"password": "x"}, headers=ORIGIN).status_code == 404


@pytest.mark.parametrize("path", PAGES)
def test_a_stranger_is_led_to_the_login(site, path):
    answer = site.client.get(f"/admin{path}")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/admin/login"


@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_there_for_the_operator(inside, path):
    answer = inside.client.get(f"/admin{path}")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "same-origin"


def test_the_session_cookie_is_kept_from_scripts_other_sites_and_plain_http(site):
    cookie = log_in(site.client).headers["set-cookie"]
    assert cookie.startswith("__Secure-newsletter-admin=")
    for flag in ("HttpOnly", "Secure", "SameSite=strict", "Path=/admin", "Max-Age=43200"):
        assert flag in cookie


def test_the_password_opens_a_new_session_whatever_cookie_was_there(site):
    """Session fixation: what an attacker has put into the browser is worth nothing afterwards."""
    log_in(site.client)
    first = site.client.cookies["__Secure-newsletter-admin"]
    log_in(site.client)
    assert site.client.cookies["__Secure-newsletter-admin"] != first


def test_a_session_ends_after_twelve_hours(inside):
    inside.clock.later(hours=11, minutes=59)
    assert inside.client.get("/admin").status_code == 200
    inside.clock.later(minutes=2)
    assert inside.client.get("/admin").status_code == 303


def test_logging_out_ends_the_session_for_a_copy_of_the_cookie_too(inside):
    copy = inside.client.cookies["__Secure-newsletter-admin"]
    assert send(inside, "/logout").headers["location"] == "/admin/login"
    inside.client.cookies.set("__Secure-newsletter-admin", copy, path="/admin")
    assert inside.client.get("/admin").status_code == 303


def test_another_password_ends_the_sessions(inside):
    other = create_app(inside.desk)
    path = inside.folder / "config" / "newsletter.yaml"
    path.write_text(path.read_text().replace(PASSWORD, "another horse battery"))
    inside.desk._read = float("-inf")
    client = TestClient(other, base_url="https://papers.example.org", cookies=inside.client.cookies)
    assert client.get("/admin", follow_redirects=False).status_code == 303


def test_a_token_for_another_purpose_is_no_session(site):
    for token in (site.desk.sign("admin", "form", "x"), site.desk.sign("preferences", "session", "x", "y", "z")):
        site.client.cookies.set("__Secure-newsletter-admin", token, path="/admin")
        assert site.client.get("/admin").status_code == 303


# ------------------------------------------------------------------ wrong passwords


def test_wrong_tries_wait_longer_and_longer_and_the_right_password_waits_too(site):
    assert [log_in(site.client, password="x" * 12).status_code for _ in range(4)] == [422, 422, 422, 429]
    waiting = log_in(site.client)
    assert (waiting.status_code, waiting.headers["retry-after"]) == (429, "3")
    site.clock.later(seconds=3)
    assert log_in(site.client, password="x" * 12).status_code == 422
    assert log_in(site.client).headers["retry-after"] == "5"
    site.clock.later(seconds=5)
    assert log_in(site.client).status_code == 303


def test_a_wrong_name_is_as_wrong_as_a_wrong_password(site):
    name, password = log_in(site.client, username="root"), log_in(site.client, password="wrong password")
    assert name.status_code == password.status_code == 422
    assert "Name or password is not right." in name.text
    assert "Name or password is not right." in password.text


def test_several_processes_grant_no_more_tries_than_one(site):
    """The count is in the database: a second application on it goes on where the first one stopped."""
    other = TestClient(create_app(site.desk), base_url="https://papers.example.org", follow_redirects=False)
    said = [log_in(one, password="x" * 12).status_code for one in (site.client, other, site.client, other)]
    assert said == [422, 422, 422, 429]


def test_many_networks_together_are_slowed_down_and_a_known_one_is_not(site):
    engine, now = site.workspace.engine, site.clock()
    audit.admit(engine, audit.knock(engine, "network home", now).id, "operator")
    for number in range(30):
        assert not audit.knock(engine, f"network {number}", now).wait
    assert audit.knock(engine, "network new", now).wait == timedelta(seconds=2)
    assert not audit.knock(engine, "network home", now).wait


@pytest.mark.parametrize(("failures", "seconds"), [(0, 0), (2, 0), (3, 2), (4, 4), (8, 64), (12, 900), (500, 900)])
def test_the_delay_doubles_up_to_a_quarter_of_an_hour(site, failures, seconds):
    now = site.clock()
    assert delay([now] * failures, now, free=3, longest=timedelta(minutes=15)) == timedelta(seconds=seconds)


def test_failures_are_forgotten_after_an_hour_and_erased_after_thirty_days(site):
    engine = site.workspace.engine
    for _ in range(3):
        audit.knock(engine, "network a", site.clock())
    site.clock.later(hours=1, seconds=1)
    assert not audit.knock(engine, "network a", site.clock()).wait
    site.clock.later(days=31)
    audit.knock(engine, "network b", site.clock())
    assert audit.recorded(engine) == 1


# ------------------------------------------------------------------ a proxy that logs people in


@pytest.fixture
def behind(make_site):
    """The site behind a proxy on 10.0.0.1 that names who has logged in; a client from `peer`."""
    site = make_site(
        settings="web: {proxies: [10.0.0.1]}\nadmin: {header: X-Remote-User, users: [ada]}\n",
        replace={"web: {}\n": "", "admin: {password: correct horse battery}\n": ""},
    )

    def client(peer: str):
        return TestClient(
            create_app(site.desk), base_url="https://papers.example.org", client=(peer, 4000), follow_redirects=False
        )

    return client


def test_the_proxys_word_is_believed(behind):
    assert "Operator: ada" in behind("10.0.0.1").get("/admin", headers={"X-Remote-User": "ada"}).text


@pytest.mark.parametrize(
    ("peer", "headers"),
    [
        ("10.0.0.2", {"X-Remote-User": "ada"}),
        ("203.0.113.9", {"X-Remote-User": "ada", "X-Forwarded-For": "10.0.0.1"}),
        ("10.0.0.1", {"X-Remote-User": "eve"}),
        ("10.0.0.1", {}),
    ],
)
def test_nobody_elses_word_is(behind, peer, headers):
    assert behind(peer).get("/admin", headers=headers).status_code == 403
    assert behind(peer).get("/admin/login").status_code == 404


# ------------------------------------------------------------------ forms


@pytest.mark.parametrize(
    "path", ["/logout", f"/editions/{DAY}/resend", "/returns/suppress", "/returns/allow", "/test", "/test/send",
             "/subscribers/ada/address"],
)  # fmt: skip
def test_a_form_of_another_site_another_session_or_none_is_refused(inside, path):
    form = {"state": "uncertain", "expected": 0, "address": "ada@example.org", "reader": "ada"}
    before = audit.recorded(inside.workspace.engine)
    good = {"token": inside.token, **form}
    strange = inside.desk.sign("admin", "form", "another session")
    cases = [
        (form, ORIGIN),
        ({"token": strange, **form}, ORIGIN),
        ({"token": "x.y", **form}, ORIGIN),
        (good, {}),
        (good, {"Sec-Fetch-Site": "cross-site"}),
        (good, {"Sec-Fetch-Site": "same-site"}),
        (good, {"Sec-Fetch-Site": "none"}),
        (good, {"Origin": "https://evil.example"}),
        (good, {"Origin": "null"}),
        (good, {"Origin": "https://evil.example", "Host": "evil.example"}),
    ]
    for data, headers in cases:
        assert inside.client.post(f"/admin{path}", data=data, headers=headers).status_code == 403, (data, headers)
    assert audit.recorded(inside.workspace.engine) == before


def test_a_browser_without_fetch_metadata_is_known_by_its_origin(inside):
    form = {"token": inside.token, "address": "ada@example.org"}
    answer = inside.client.post("/admin/returns/allow", data=form, headers={"Origin": "https://papers.example.org"})
    assert answer.status_code == 303


def test_the_login_form_is_bound_to_its_browser(site):
    """Login CSRF: nobody is logged in by a form that another browser was given."""
    token = token_of(site.client.get("/admin/login"))
    site.client.cookies.clear()
    site.client.get("/admin/login")
    form = {"username": "operator", "password": PASSWORD, "token": token}
    assert site.client.post("/admin/login", data=form, headers=ORIGIN).status_code == 403


# ------------------------------------------------------------------ what the pages do


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
