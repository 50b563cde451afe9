"""A browser of the operator's pages, as the tests use it."""

from __future__ import annotations

import re
from html import unescape

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


def send(site, path: str, **form: object):
    return site.client.post(f"/admin{path}", data={"token": site.token, **form}, headers=ORIGIN)


def make_uncertain(site, name: str) -> None:
    with site.workspace.engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE deliveries SET state = 'uncertain' WHERE subscriber = '{name}'")
