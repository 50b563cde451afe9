"""Who may come into the operator's pages, what slows strangers down, and which forms count."""

from __future__ import annotations

from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from operating import DAY, ORIGIN, PAGES, PASSWORD, log_in, send, token_of

from newsletter.store import audit
from newsletter.store.audit import delay
from newsletter.web.app import create_app

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
