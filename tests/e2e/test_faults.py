"""Every fault on the way of a letter, against a real server that misbehaves, with the ledger afterwards.

Twelve letters are planned. One fault strikes; then the server is mended and the edition is delivered again, an hour
later. Whatever happened: nobody has two letters, and who has none is in the ledger with the reason.
"""

from __future__ import annotations

import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import trustme
from misbehaving import Do, Misbehaving, server_context, serving

from newsletter import pipeline
from newsletter.store import ledger, suppression

NOW = datetime(2025, 3, 13, 7, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
EDITION = "daily/2025-03-13"
READERS = 12
HUNG_UP = Do(hang_up=True)
SILENT = Do(silent=True)
pytestmark = pytest.mark.slow


def environment(house: Any, port: int, **more: str) -> dict[str, str]:
    smtp = {"port": str(port), "timeout": "1", "answer_timeout": "1.5", "rate_per_second": "10000", **more}
    return {**house.environment, **{f"NEWSLETTER_SMTP__{name.upper()}": value for name, value in smtp.items()}}


def deliver(house: Any, port: int, *, at: datetime, stop: Callable[[], bool] = lambda: False, **smtp: str):
    with pipeline.open_workspace(house.config, environment(house, port, **smtp)) as workspace:
        return pipeline.deliver(workspace, EDITION, clock=lambda: at, stop=stop)


def rows(house: Any) -> dict[str, Any]:
    with pipeline.open_workspace(house.config, house.environment) as workspace:
        found = pipeline.deliveries(workspace, NOW.date())
        histories = ledger.history(workspace.engine, [row.id for row in found])
    return {row.subscriber: (row, [line.event for line in histories.get(row.id, ())]) for row in found}


def states(house: Any) -> Counter[str]:
    return Counter(row.state for row, _ in rows(house).values())


def arrived(*servers: Any) -> Counter[str]:
    """How many copies each recipient's server took."""
    return Counter(rcpt for server in servers for _, rcpt, _ in server.accepted)


@dataclass(frozen=True)
class Fault:
    """`script` for the misbehaving server; the states after the fault and after the mended run an hour later."""

    name: str
    script: dict[str, Any]
    after: dict[str, int]
    mended: dict[str, int]
    why: str = ""
    suppressed: int = 0
    more: dict[str, Any] = field(default_factory=dict)


ONE_LATER, ALL_SENT = {"sent": 11, "deferred": 1}, {"sent": 12}
ONE_FAILED, ONE_UNCERTAIN = {"sent": 11, "failed": 1}, {"sent": 11, "uncertain": 1}

FAULTS = [
    Fault("421 at connect, once", {"connect": [Do("421 4.3.2 closing", hang_up=True)]}, ALL_SENT, ALL_SENT),
    Fault("421 at RCPT", {"RCPT": [Do("421 4.3.2 closing", hang_up=True)]}, ONE_LATER, ALL_SENT, "421 4.3.2"),
    Fault("421 at the dot", {"dot": [Do("421 4.3.2 closing", hang_up=True)]}, ONE_LATER, ALL_SENT, "421 4.3.2"),
    Fault("450 at RCPT", {"RCPT": ["450 4.2.1 mailbox busy"]}, ONE_LATER, ALL_SENT, "450 4.2.1"),
    Fault("451 at the dot", {"dot": ["451 4.3.0 local error"]}, ONE_LATER, ALL_SENT, "451 4.3.0"),
    Fault("452 at MAIL", {"MAIL": ["452 4.3.1 out of space"]}, ONE_LATER, ALL_SENT, "452 4.3.1"),
    Fault("greylisting of everyone", {"RCPT": ["451 4.7.1 greylisted"] * 12}, {"deferred": 12}, ALL_SENT, "greylisted"),
    Fault("550 no such user", {"RCPT": ["550 5.1.1 no such user"]}, ONE_FAILED, ONE_FAILED, "550 5.1.1", suppressed=1),
    Fault("550 policy", {"RCPT": ["550 5.7.1 blocked"]}, ONE_FAILED, ONE_FAILED, "550 5.7.1"),
    Fault("552 mailbox full", {"RCPT": ["552 5.2.2 mailbox full"]}, ONE_FAILED, ONE_FAILED, "552 5.2.2"),
    Fault("554 at the dot", {"dot": ["554 5.7.1 looks like spam"]}, ONE_FAILED, ONE_FAILED, "554 5.7.1"),
    Fault("drop at MAIL", {"MAIL": [HUNG_UP]}, ONE_LATER, ALL_SENT, "no answer|lost|closed"),
    Fault("drop at RCPT", {"RCPT": [HUNG_UP]}, ONE_LATER, ALL_SENT, "no answer|lost|closed"),
    Fault("drop at DATA", {"DATA": [HUNG_UP]}, ONE_LATER, ALL_SENT, "no answer|lost|closed"),
    Fault("drop after the dot", {"dot": [HUNG_UP]}, ONE_UNCERTAIN, ONE_UNCERTAIN, "no answer|lost|closed"),
    Fault("silence after the dot", {"dot": [SILENT]}, ONE_UNCERTAIN, ONE_UNCERTAIN, "no answer in 1.5 s"),
    Fault("slow dot", {"dot": [Do("250 2.0.0 at last", wait=1.0)]}, ALL_SENT, ALL_SENT),
    Fault("drop at QUIT", {"QUIT": HUNG_UP}, ALL_SENT, ALL_SENT),
    Fault("silence at QUIT", {"QUIT": SILENT}, ALL_SENT, ALL_SENT),
    Fault("hung at RCPT", {"RCPT": [SILENT]}, ONE_LATER, ALL_SENT, "no answer in 1 s"),
    Fault("550 in the text, then close", {"dot": [Do("550 5.7.1 no", early=10)]}, ONE_FAILED, ONE_FAILED, "550 5.7.1"),
    Fault("nonsense after the dot", {"dot": ["banana"]}, ONE_UNCERTAIN, ONE_UNCERTAIN, "not a reply"),
    Fault("two connections, no more", {}, ALL_SENT, ALL_SENT, more={"most": 2}),
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_one_fault_touches_one_letter(planned, fault):
    with serving(Misbehaving(fault.script, **fault.more)) as bad:
        deliver(planned, bad.port, at=NOW)
        assert states(planned) == fault.after
        for row, events in rows(planned).values():
            assert events
            if row.state != "sent":
                assert any(word in row.reason for word in fault.why.split("|")), row.reason
    with serving(Misbehaving({})) as good:
        deliver(planned, good.port, at=NOW + HOUR)
    assert states(planned) == fault.mended
    copies = arrived(bad, good)
    assert set(copies.values()) == {1}
    assert len(copies) == fault.mended["sent"]
    with pipeline.open_workspace(planned.config, planned.environment) as workspace:
        gone = [
            r
            for r in pipeline.readers(workspace)
            if suppression.is_suppressed(workspace.engine, r.email, key=workspace.key)
        ]
    assert len(gone) == fault.suppressed


@dataclass(frozen=True)
class Refusal:
    """A server that cannot be used at all: the run stops, says why, and every letter stays planned."""

    name: str
    script: dict[str, Any]
    said: str
    smtp: dict[str, str] = field(default_factory=dict)
    certificate: str = ""


TLS, LOGIN = {"security": "starttls"}, {"security": "starttls", "username": "me", "password": "secret"}
STARTTLS = {"EHLO": "250-misbehaving\r\n250 STARTTLS"}
AUTH = {**STARTTLS, "EHLO encrypted": "250-misbehaving\r\n250 AUTH PLAIN LOGIN"}
REFUSALS = [
    Refusal("421 at connect, always", {"connect": Do("421 4.3.2 closing", hang_up=True)}, "421 4.3.2"),
    Refusal("554 at connect", {"connect": Do("554 5.7.1 go away", hang_up=True)}, "554 5.7.1"),
    Refusal("STARTTLS stripped", {}, "STARTTLS", TLS, "good"),
    Refusal("expired certificate", STARTTLS, "certificate", TLS, "expired"),
    Refusal("certificate of another host", STARTTLS, "certificate", TLS, "other host"),
    Refusal("certificate of an unknown authority", STARTTLS, "certificate", TLS, "unknown authority"),
    Refusal("535 wrong password", {**AUTH, "AUTH": "535 5.7.8 wrong"}, "535 5.7.8", LOGIN, "good"),
]


@pytest.fixture(scope="module")
def certificates(tmp_path_factory) -> tuple[Path, dict[str, ssl.SSLContext]]:
    """The authority's PEM, and server contexts good and bad."""
    ours, other = trustme.CA(), trustme.CA()
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    ours.cert_pem.write_to_path(str(path))
    past = datetime.now(UTC) - timedelta(days=1)
    made = {
        "good": ours.issue_cert("127.0.0.1"),
        "expired": ours.issue_cert("127.0.0.1", not_after=past),
        "other host": ours.issue_cert("mail.example.org"),
        "unknown authority": other.issue_cert("127.0.0.1"),
    }
    return path, {name: server_context(certificate) for name, certificate in made.items()}


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: refusal.name)
def test_a_server_that_cannot_be_used_stops_the_run(planned, certificates, refusal):
    authority, contexts = certificates
    smtp = {**refusal.smtp, **({"ca_file": str(authority)} if refusal.smtp else {})}
    with serving(Misbehaving(refusal.script, context=contexts.get(refusal.certificate))) as bad:
        report = deliver(planned, bad.port, at=NOW, **smtp)
        assert report.stopped
        assert refusal.said in report.urgent[0]
        assert sum(states(planned)[state] for state in ("planned", "deferred")) == READERS
        assert bad.accepted == []
        assert not any(command.startswith(("AUTH", "MAIL")) for command in bad.in_clear if refusal.smtp)
    with serving(Misbehaving({})) as good:
        deliver(planned, good.port, at=NOW + HOUR)
    assert states(planned) == ALL_SENT
    assert set(arrived(good).values()) == {1}


def test_a_reply_injected_before_tls_is_not_believed(planned, certificates):
    """CVE-2011-0411: what was said in clear behind the 220 answers nothing inside TLS; the letters go as ever."""
    authority, contexts = certificates
    script = {**STARTTLS, "STARTTLS": "220 go\r\n250-evil\r\n250 AUTH PLAIN"}
    with serving(Misbehaving(script, context=contexts["good"])) as server:
        deliver(planned, server.port, at=NOW, **TLS, ca_file=str(authority))
        assert states(planned) == ALL_SENT
        assert not any(command.startswith(("AUTH", "MAIL")) for command in server.in_clear)
    assert set(arrived(server).values()) == {1}


@pytest.mark.parametrize(("host", "said"), [("127.0.0.1", "refused"), ("no-such-host.invalid", "no-such-host")])
def test_nobody_there(planned, host, said):
    """The port is closed, or DNS knows no such name: every letter waits."""
    security = "none" if host == "127.0.0.1" else "starttls"
    report = deliver(planned, 9, at=NOW, host=host, security=security)
    assert said in report.urgent[0]
    assert sum(states(planned)[state] for state in ("planned", "deferred")) == READERS
    with serving(Misbehaving({})) as good:
        deliver(planned, good.port, at=NOW + HOUR)
    assert set(arrived(good).values()) == {1}
    assert states(planned) == ALL_SENT


def test_three_letters_without_an_answer_are_enough_to_call_a_person(planned):
    """A server that swallows letters silently: the run stops before it has swallowed them all."""
    with serving(Misbehaving({"dot": HUNG_UP})) as bad:
        report = deliver(planned, bad.port, at=NOW, connections="1")
    assert report.stopped
    counts = states(planned)
    assert (counts["planned"], counts["uncertain"]) in ((9, 3), (8, 4))  # the one that was under way at the third
    with serving(Misbehaving({})) as good:
        deliver(planned, good.port, at=NOW + HOUR)
    assert states(planned) == {"uncertain": counts["uncertain"], "sent": counts["planned"]}
    assert set(arrived(good).values()) == {1}


def test_a_domain_that_blames_us_ten_times_is_left_alone(planned):
    """554 5.7.x is our fault: nobody is suppressed, and after ten in a row the rest is put off."""
    with serving(Misbehaving({"RCPT": "550 5.7.1 blocked, see our policy"})) as bad:
        deliver(planned, bad.port, at=NOW, connections="1")
    found = states(planned)
    assert set(found) == {"failed", "deferred"}
    assert 10 <= found["failed"] <= 11  # the one that was under way when the tenth came
    with pipeline.open_workspace(planned.config, planned.environment) as workspace:
        assert not any(
            suppression.is_suppressed(workspace.engine, r.email, key=workspace.key) for r in pipeline.readers(workspace)
        )


def test_one_domain_gets_no_more_letters_a_second_than_the_settings_say(planned):
    """Twelve letters to one domain at ten a second cannot be there before 1.1 seconds, however fast the machine is."""
    with serving(Misbehaving({})) as server:
        start = time.monotonic()
        deliver(planned, server.port, at=NOW, connections="12", domain_rate_per_second="10")
        assert time.monotonic() - start >= 1.1
    assert set(arrived(server).values()) == {1}


def test_what_was_uncertain_goes_again_only_when_told(planned):
    with serving(Misbehaving({"dot": [HUNG_UP]})) as bad:
        deliver(planned, bad.port, at=NOW)
    with serving(Misbehaving({})) as good:
        deliver(planned, good.port, at=NOW + HOUR)
        assert good.accepted == []
        with pipeline.open_workspace(planned.config, planned.environment) as workspace:
            assert pipeline.resend(workspace, NOW.date(), "uncertain", at=NOW + HOUR) == 1
        deliver(planned, good.port, at=NOW + HOUR)
    assert len(good.accepted) == 1
    assert states(planned) == ALL_SENT


def test_who_leaves_in_mid_run_gets_nothing_after_it(planned):
    """The address is suppressed while the letters before it are under way."""

    def leave() -> None:
        while not slow.accepted:
            time.sleep(0.01)
        with pipeline.open_workspace(planned.config, planned.environment) as workspace:
            suppression.suppress(workspace.engine, "r11@example.org", "unsubscribed", NOW, key=workspace.key)

    with serving(Misbehaving({"dot": Do("250 2.0.0 queued", wait=0.1)})) as slow:
        leaving = threading.Thread(target=leave)
        leaving.start()
        deliver(planned, slow.port, at=NOW, connections="1")
        leaving.join()
    assert "RCPT TO:<r11@example.org>" not in arrived(slow)
    row, events = rows(planned)["r11"]
    assert (row.state, row.reason, events) == ("skipped", "suppressed: unsubscribed", ["withdrawn"])
    assert states(planned) == {"sent": 11, "skipped": 1}


@pytest.mark.parametrize("hours", [-2, 2])
def test_a_clock_that_jumps_neither_doubles_nor_loses(planned, hours):
    """One letter is put off; the clock jumps two hours before the second run, and is right again for the third."""
    with serving(Misbehaving({"RCPT": ["450 4.2.1 busy"]})) as server:
        deliver(planned, server.port, at=NOW)
        deliver(planned, server.port, at=NOW + timedelta(hours=hours))
        assert states(planned)["sent"] == (12 if hours > 0 else 11)
        deliver(planned, server.port, at=NOW + HOUR)
    assert states(planned) == ALL_SENT
    assert set(arrived(server).values()) == {1}


def test_two_readers_of_one_address_get_one_letter(planned):
    with pipeline.open_workspace(planned.config, planned.environment) as workspace:
        edition = pipeline.prepare(workspace, NOW.date())
        twin = replace(pipeline.readers(workspace)[0], name="twin", email="R00@example.org")
        pipeline.plan(workspace, edition, [twin], at=NOW)
    with serving(Misbehaving({})) as server:
        deliver(planned, server.port, at=NOW)
    assert set(arrived(server).values()) == {1}
    row, _ = rows(planned)["twin"]
    assert (row.state, row.reason) == ("skipped", "the same address as r00, who has this edition's letter")


def test_a_torn_database_stops_before_the_first_letter(planned):
    path = planned.folder / "data" / "newsletter.db"
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xde\xad" * (path.stat().st_size // 4))
    with serving(Misbehaving({})) as server:
        ran = planned.run("send", "--date", NOW.date(), environment={"NEWSLETTER_SMTP__PORT": str(server.port)})
    assert ran.returncode == 1
    assert "torn" in ran.stderr
    assert server.accepted == []
