"""The service's tick against a real inbox, with a clock that the test sets: late, twice, asleep, reloaded, and told."""

from __future__ import annotations

import socket
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from newsletter import pipeline, schedule
from newsletter.pipeline.heartbeat import read_heartbeat
from newsletter.store import requests

DAY = datetime(2025, 3, 13, tzinfo=UTC)
SETTINGS = """from: Papers <papers@example.org>
operator: ops@example.org
sources: [{name: page, kind: folder, path: ../digests}]
schedule: {fetch_at: '06:00', timezone: UTC, grace_hours: 8}
"""
PROFILE = "email: {0}@example.org\ndays: daily\ntimezone: UTC\nsend_at: '{1}'\ninterests: [graph retrieval]\n"
pytestmark = pytest.mark.slow


def at(clock: str) -> datetime:
    hour, _, minute = clock.partition(":")
    return DAY + timedelta(hours=int(hour), minutes=int(minute))


@pytest.fixture
def service(prepared, smtp):
    """A service whose edition of the day is prepared, with Ada due at 07:30: `tick("07:30")` is one tick at that time.

    `tick.restart()` is what a restart does: everything but the data folder is forgotten.
    """
    (prepared.config / "subscribers" / "emmy.yaml").unlink()
    prepared.subscriber("ada", PROFILE.format("ada", "07:30"))
    (prepared.folder / "digests").mkdir()
    prepared.digest("2025-03-13", 20).rename(prepared.folder / "digests" / "2025-03-13.jsonl")
    (prepared.config / "newsletter.yaml").write_text(SETTINGS)
    smtp_settings = {"HOST": "127.0.0.1", "SECURITY": "none", "PORT": str(smtp.port)}
    environ = prepared.environment | {f"NEWSLETTER_SMTP__{name}": value for name, value in smtp_settings.items()}
    with pipeline.open_workspace(prepared.config, environ) as workspace:

        class Service:
            house, box, running = prepared, smtp, schedule.Service(workspace, environ)

            def __call__(self, clock: str | datetime) -> list[str]:
                """One tick; who has had a letter since the first."""
                now = at(clock) if isinstance(clock, str) else clock
                schedule.tick(self.running, clock=lambda: now)
                return [message.recipient for message in smtp.messages]

            def restart(self, **changes: str) -> None:
                self.running = schedule.Service(workspace, environ | changes)

            def rows(self):
                return {row.subscriber: row for row in pipeline.deliveries(workspace, DAY.date())}

        yield Service()


def test_a_letter_goes_out_at_its_time_and_once(service):
    assert service("06:30") == []
    assert service("07:29") == []
    assert service("07:30") == ["ada@example.org"]
    assert service("07:30") == service("07:31") == service("23:59") == ["ada@example.org"]
    service.restart()
    assert service("09:00") == ["ada@example.org"]


def test_a_machine_asleep_for_six_hours_catches_up_once(service):
    assert service("07:00") == []
    assert service("13:00") == ["ada@example.org"]
    assert service("13:01") == ["ada@example.org"]


def test_a_machine_asleep_beyond_the_grace_skips_where_people_can_see_it(service):
    assert service("07:00") == []
    assert service("15:31") == []
    row = service.rows()["ada"]
    assert (row.state, row.reason) == ("skipped", "due on 2025-03-13 at 07:30 (UTC), more than 8 h ago")
    assert service("15:40") == []
    assert pipeline.status(service.running.workspace, DAY.date())["skipped"] == 1


def test_a_clock_that_goes_back_sends_nothing_twice(service):
    assert service("07:30") == ["ada@example.org"]
    assert service("05:30") == service("07:30") == ["ada@example.org"]


def test_profiles_and_settings_are_read_anew(service):
    assert service("07:30") == ["ada@example.org"]
    service.house.subscriber("bob", PROFILE.format("bob", "07:45"))
    service.house.subscriber("ada", PROFILE.format("ada", "07:30").replace("graph", "video"))
    (service.house.config / "newsletter.yaml").write_text(SETTINGS + "title: Another name\n")
    assert service("07:45") == ["ada@example.org", "bob@example.org"]
    assert b"Another name" in service.box.messages[1].data
    (service.house.config / "newsletter.yaml").write_text("from: nonsense\n")
    service.house.subscriber("eve", PROFILE.format("eve", "08:00"))
    assert service("08:00")[-1] == "eve@example.org"  # broken settings: the old ones stay in force
    (service.house.config / "subscribers" / "eve.yaml").unlink()
    assert len(service("08:01")) == 3


def test_a_source_that_fails_is_told_to_the_operator_once(service):
    """Four ticks with retries, and a restart: one mail. The next day's failure is another one."""
    (service.house.folder / "digests" / "2025-03-14.jsonl").write_text('[{"cut')
    tomorrow = [at("06:05") + timedelta(days=1, minutes=minutes) for minutes in (0, 20, 40, 60)]
    for now in tomorrow[:2]:
        service(now)
    service.restart()
    for now in tomorrow[2:]:
        service(now)
    mails = [message for message in service.box.messages if message.recipient == "ops@example.org"]
    assert len(mails) == 1
    assert b"the digest of 2025-03-14 is failed" in mails[0].data
    (service.house.folder / "digests" / "2025-03-15.jsonl").write_text('[{"cut')
    service(at("06:05") + timedelta(days=2))
    assert sum(message.recipient == "ops@example.org" for message in service.box.messages) == 2


@pytest.mark.parametrize("kind", ["empty", "stale", "fetched"])
def test_the_states_of_a_source_are_told_apart(service, kind):
    """Nothing on a weekend is no alarm; the digest of the day before once more is one."""
    again = service.house.folder / "digests" / "2025-03-14.jsonl"
    if kind == "stale":
        again.write_text((service.house.folder / "digests" / "2025-03-13.jsonl").read_text())
    elif kind == "fetched":
        service.house.digest("2025-03-14", 20).rename(again)
    service("06:30")
    service(at("06:30") + timedelta(days=1))
    from newsletter.store import archive

    states = archive.source_states(service.running.workspace.engine, since=DAY.date() + timedelta(days=1))
    assert [state.state for state in states] == [kind]
    told = [message for message in service.box.messages if message.recipient == "ops@example.org"]
    assert len(told) == (kind == "stale")


def test_what_could_not_be_mailed_is_mailed_when_mail_goes_again(service):
    """The mail server is down at the time of the letter: it waits, and the operator hears of it as soon as possible."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        closed = str(free.getsockname()[1])
    port = service.running.environ["NEWSLETTER_SMTP__PORT"]
    service.restart(NEWSLETTER_SMTP__PORT=closed)
    assert service("07:30") == service("07:31") == []
    assert service.rows()["ada"].state in ("planned", "deferred")
    assert read_heartbeat(service.running.workspace.settings.data).told == ()
    service.restart(NEWSLETTER_SMTP__PORT=port)
    assert service("08:00") == ["ada@example.org"]


def test_the_heartbeat_tells_of_the_last_tick(service):
    service("07:30")
    beat = read_heartbeat(service.running.workspace.settings.data)
    assert (beat.ticked, beat.stopped) == (at("07:30"), False)


def test_expired_requests_to_subscribe_are_removed_within_the_hour(service):
    """Whoever never confirms is forgotten, also where no other request comes; a restart looks at once."""
    engine = service.running.workspace.engine

    def ask(token: str, expires: str) -> None:
        one = requests.Request(token, token, f"{token}@example.org", "email: x\n", "the form", DAY, at(expires))
        assert requests.ask(engine, one, "net") == "kept"

    def held() -> set[str]:
        with engine.connect() as connection:
            return set(connection.execute(sa.select(requests.REQUESTS.c.token)).scalars())

    for token, expires in {"early": "01:00", "later": "02:10", "last": "04:00"}.items():
        ask(token, expires)
    service("02:00")
    assert held() == {"later", "last"}
    service("02:30")
    assert held() == {"later", "last"}
    service("03:00")
    assert held() == {"last"}
    service("03:30")
    service.restart()
    service("04:00")
    assert held() == set()
