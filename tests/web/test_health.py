"""What machines are told: is it alive, is it well, its numbers; and to whom the numbers are told."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient

from newsletter.pipeline.health import health
from newsletter.pipeline.heartbeat import Heartbeat, read_heartbeat, write_heartbeat
from newsletter.store import audit
from newsletter.web.app import create_app


def client(site, peer: str = "203.0.113.9", **headers: str) -> TestClient:
    return TestClient(
        create_app(site.desk), base_url="https://papers.example.org", client=(peer, 4000), headers=headers
    )


def basic(name: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


def test_a_site_without_trouble_is_well(site):
    write_heartbeat(site.workspace.settings.data, Heartbeat(site.clock()))
    answer = client(site).get("/health")
    assert answer.status_code == 200
    assert answer.json() == {
        "healthy": True, "store": True, "last_tick": "2025-05-27T09:00:00+00:00", "letters_waiting": 0,
        "oldest_waiting_seconds": 0,
    }  # fmt: skip
    assert answer.headers["cache-control"] == "no-store"


def test_what_needs_a_person_is_503_and_no_name_is_said(site):
    write_heartbeat(site.workspace.settings.data, Heartbeat(site.clock() - timedelta(hours=1)))
    answer = client(site).get("/health")
    assert (answer.status_code, answer.json()["healthy"]) == (503, False)
    assert set(answer.json()) == {"healthy", "store", "last_tick", "letters_waiting", "oldest_waiting_seconds"}
    assert client(site).get("/health/live").status_code == 200  # the pages still answer


def test_a_letter_that_waits_is_counted(site):
    with site.workspace.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE deliveries SET state = 'planned', expires = NULL WHERE subscriber = 'ada'")
    said = client(site).get("/health").json()
    assert (said["letters_waiting"], said["oldest_waiting_seconds"]) == (1, 3600)


@pytest.mark.parametrize("path", ["/health", "/health/live"])
def test_a_store_that_is_away_is_503_and_no_path_is_said(site, path):
    site.workspace.engine.dispose()
    database = site.folder / "data" / "newsletter.db"
    database.write_bytes(b"this is no database" * 100)
    answer = client(site).get(path)
    assert (answer.status_code, answer.json()["store"]) == (503, False)
    assert str(site.folder) not in answer.text


def test_an_answer_is_given_again_for_a_few_seconds(site):
    """Anyone may ask, and asking must not cost the database its time."""
    once = client(site)
    first = once.get("/health").json()
    with site.workspace.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE deliveries SET state = 'planned', expires = NULL")
    assert once.get("/health").json() == first


@pytest.mark.parametrize(
    ("peer", "headers", "status"),
    [
        ("127.0.0.1", {}, 200),
        ("::1", {}, 200),
        ("203.0.113.9", {}, 404),
        ("testclient", {}, 404),
        ("127.0.0.1", {"X-Forwarded-For": "203.0.113.9"}, 404),  # a proxy on this machine that nobody has named
        ("127.0.0.1", {"Forwarded": "for=203.0.113.9"}, 404),
        ("203.0.113.9", {"X-Forwarded-For": "127.0.0.1"}, 404),
    ],
)
def test_numbers_are_for_this_machine(site, peer, headers, status):
    answer = client(site, peer, **headers).get("/metrics")
    assert answer.status_code == status
    assert ("newsletter_letters{" in answer.text) == (status == 200)


@pytest.mark.parametrize(("peer", "status"), [("10.1.2.3", 200), ("10.2.0.1", 404)])
def test_numbers_are_for_the_proxies_networks(make_site, peer, status):
    site = make_site(replace={"web: {}\n": "web: {proxies: [10.1.0.0/16]}\n"})
    assert client(site, peer).get("/metrics").status_code == status
    assert client(site, peer, **{"X-Forwarded-For": "203.0.113.9"}).get("/metrics").status_code == 404


def test_numbers_are_for_whoever_has_the_password_and_its_use_is_written_down_once(site):
    asking = client(site, **basic("operator", "correct horse battery"))
    assert [asking.get("/metrics").status_code for _ in range(5)] == [200] * 5
    assert [line.action for line in audit.audit(site.workspace.engine, 10)] == [audit.LOGIN]


def test_guessing_the_password_there_is_slowed_down_as_at_the_login(site):
    for _ in range(3):
        assert client(site, **basic("operator", "wrong wrong wrong")).get("/metrics").status_code == 404
    assert client(site, **basic("operator", "correct horse battery")).get("/metrics").status_code == 404
    site.clock.later(seconds=3)
    assert client(site, **basic("operator", "correct horse battery")).get("/metrics").status_code == 200


@pytest.mark.parametrize("value", ["Basic", "Basic !!!", "Bearer x", "Basic " + base64.b64encode(b"\xff:x").decode()])
def test_what_is_no_password_opens_nothing(site, value):
    assert client(site, Authorization=value).get("/metrics").status_code == 404
    assert audit.recorded(site.workspace.engine) == 0


def test_without_operators_pages_there_is_no_password_for_the_numbers(make_site):
    site = make_site(replace={"admin: {password: correct horse battery}\n": ""})
    assert client(site, **basic("operator", "correct horse battery")).get("/metrics").status_code == 404


def test_the_health_check_asks_the_pages_of_the_service_whether_they_answer(served):
    base, site = served
    data = site.workspace.settings.data
    write_heartbeat(data, Heartbeat(site.clock(), web=base))
    assert health(site.workspace, at=site.clock()).problems == ()
    assert health(site.workspace, at=site.clock()).web == base
    write_heartbeat(data, Heartbeat(site.clock(), web="http://127.0.0.1:9"))
    (problem,) = health(site.workspace, at=site.clock()).problems
    assert problem.startswith("The web side at http://127.0.0.1:9 does not answer (")
    write_heartbeat(data, replace(read_heartbeat(data), stopped=True))
    assert health(site.workspace, at=site.clock()).problems == ()


def test_a_heartbeat_of_before_the_web_side_is_read(site):
    data = site.workspace.settings.data
    (data / "service.json").write_text('{"ticked": "2025-05-27T09:00:00+00:00", "stopped": false, "told": []}')
    assert read_heartbeat(data) == Heartbeat(site.clock())
