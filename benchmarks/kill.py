"""kill -9 at random moments: is a letter lost, or sent twice?

    python benchmarks/kill.py --runs 200

Each run has a fresh ledger of planned letters and a server that takes its time. A sender is killed at a random moment;
another one finishes the edition. Then every reader has exactly one letter, or the ledger says `uncertain`, which is the
best SMTP allows (RFC 1047): such a reader may have one, never two. One JSON object, with the moments of the kills.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import random
import shutil
import signal
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import structlog

from newsletter import pipeline
from newsletter.model import Interest, Profile, Subscriber
from newsletter.settings import Subscribers
from newsletter.store import ledger

DAY = date(2025, 3, 13)
EDITION = f"daily/{DAY}"
NOW = datetime(2025, 3, 13, 7, tzinfo=UTC)
PAUSE = 0.004  # seconds that the server takes for each step, so that kills meet every one of them


def serve(record: Path, port: multiprocessing.Queue[int]) -> None:
    """An SMTP server that writes down each recipient before it says 250: what it has taken, it has taken."""

    async def session(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        recipient = ""
        writer.write(b"220 slow\r\n")
        try:
            while line := (await reader.readline()).decode():
                await asyncio.sleep(PAUSE * random.random() * 2)
                verb = line[:4].upper()
                if verb == "RCPT":
                    recipient = line.partition("<")[2].partition(">")[0]
                if verb == "DATA":
                    writer.write(b"354 go on\r\n")
                    await reader.readuntil(b"\r\n.\r\n")
                    await asyncio.sleep(PAUSE * random.random() * 2)
                    with record.open("a") as file:
                        file.write(f"{recipient}\n")
                    await asyncio.sleep(PAUSE * random.random() * 2)
                writer.write(b"221 bye\r\n" if verb == "QUIT" else b"250 2.0.0 ok\r\n")
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def run() -> None:
        server = await asyncio.start_server(session, "127.0.0.1", 0, limit=2**22)
        port.put(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    asyncio.run(run())


def prepare(folder: Path, letters: int) -> Path:
    """A data folder with planned letters."""
    config = folder / "config"
    (config / "subscribers").mkdir(parents=True)
    (config / "newsletter.yaml").write_text(
        "from: Papers <papers@example.org>\nsmtp: {host: 127.0.0.1, security: none, port: 9, rate_per_second: 100000}\n"
    )
    digest = folder / f"{DAY}.jsonl"
    topics = ("graph retrieval", "video diffusion", "protein folding", "speech recognition", "robot grasping")
    papers = [
        {
            "id": f"2503.{10000 + n}",
            "title": f"Study {n}: {topics[n % 5]} in practice",
            "abstract": f"We study {topics[n % 5]}.",
        }
        for n in range(20)
    ]
    digest.write_text("".join(json.dumps(paper) + "\n" for paper in papers))
    readers = [
        Subscriber(f"r{n:03}", f"r{n:03}@example.net", Profile(interests=(Interest("graph retrieval"),)))
        for n in range(letters)
    ]
    with pipeline.open_workspace(config, {"PATH": os.environ["PATH"]}) as opened:
        pipeline.fetch_path(opened, digest, day=DAY, today=DAY, force=True)
        workspace = replace(opened, found=Subscribers(tuple(readers)))
        pipeline.plan(workspace, pipeline.prepare(workspace, DAY), readers, at=NOW)
    return config


def deliver(config: Path, data: Path, port: int, at: datetime) -> dict[str, str]:
    """Deliver the edition; the states afterwards."""
    environ = {"PATH": os.environ["PATH"], "NEWSLETTER_DATA": str(data), "NEWSLETTER_SMTP__PORT": str(port)}
    with pipeline.open_workspace(config, environ) as workspace:
        pipeline.deliver(workspace, EDITION, clock=lambda: at)
        return {row.email: row.state for row in ledger.deliveries(workspace.engine, EDITION)}


@dataclass(frozen=True)
class Moment:
    """When to kill: `seconds` after the server has taken so many `letters`; on a busy machine too it meets them all."""

    letters: int
    seconds: float

    def wait(self, child: int, record: Path) -> None:
        while len(record.read_text().splitlines()) < self.letters and not _has_ended(child):
            time.sleep(0.001)
        time.sleep(self.seconds)


def _has_ended(child: int) -> bool:
    return os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def killed(moment: Moment, record: Path, config: Path, data: Path, port: int) -> bool:
    """Fork a sender and kill it; whether it was still at work."""
    child = os.fork()
    if child == 0:
        os.close(1)
        deliver(config, data, port, NOW)
        os._exit(0)
    moment.wait(child, record)
    os.kill(child, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) < 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--letters", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    rng, totals, strange = random.Random(given.seed), Counter[str](), []
    with TemporaryDirectory() as folder:
        root = Path(folder)
        config = prepare(root / "house", given.letters)
        port_of: multiprocessing.Queue[int] = multiprocessing.get_context("spawn").Queue()
        record = root / "taken"
        server = multiprocessing.get_context("spawn").Process(target=serve, args=(record, port_of), daemon=True)
        server.start()
        port = port_of.get()
        data = root / "data"
        shutil.copytree(root / "house" / "data", data)
        record.touch()
        start = time.perf_counter()
        deliver(config, data, port, NOW)  # how long a run takes: some of the kills fall before the first letter
        length = time.perf_counter() - start
        for run in range(given.runs):
            shutil.rmtree(data)
            shutil.copytree(root / "house" / "data", data)
            record.write_text("")
            letters = max(0, rng.randrange(-given.letters // 4, given.letters))
            moment = Moment(letters, rng.uniform(0, PAUSE * 10 if letters else length))
            was_working = killed(moment, record, config, data, port)
            time.sleep(PAUSE * 6)  # what the server has it finishes
            first = len(record.read_text().splitlines())
            states = deliver(config, data, port, NOW + timedelta(hours=1))
            copies = Counter(record.read_text().split())
            lost = [who for who, state in states.items() if not copies[who] and state != "uncertain"]
            doubled = [who for who, count in copies.items() if count > 1]
            totals.update(
                runs=1, killed=was_working, killed_in_mid_send=was_working and 0 < first < given.letters,
                letters=len(states), accepted=sum(copies.values()), lost=len(lost), doubled=len(doubled),
                uncertain=sum(state == "uncertain" for state in states.values()),
                uncertain_but_accepted=sum(state == "uncertain" and copies[who] == 1 for who, state in states.items()),
                neither=sum(state not in ("sent", "uncertain") for state in states.values()),
            )  # fmt: skip
            if lost or doubled:
                strange.append({"run": run, "moment": asdict(moment), "lost": lost, "doubled": doubled})
        server.kill()
    print(json.dumps({**totals, "seconds_of_a_run": round(length, 2), "strange": strange}))
    sys.exit(bool(strange))


if __name__ == "__main__":
    main()
