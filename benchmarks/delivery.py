"""Personal letters a second, end to end: rank, compose, freeze, render, MIME, DKIM, SMTP, ledger with full fsync.

    smtp-sink 127.0.0.1:2526 1000                       Postfix's; any server that takes everything will do
    python benchmarks/delivery.py --port 2526 --digest 2025-03-13.txt --letters 1000 10000
    python benchmarks/delivery.py ... --peer DIR         beside nodemailer+mjml: a folder with peer.mjs and node_modules
    python benchmarks/delivery.py ... --dump FILE        what `smtp-sink -D FILE` wrote: counts losses and duplicates

One JSON object a line. The edition (archive, themes) is prepared before the clock starts, in another process, as the
service does it hours earlier. Quote ratios of one run, never a bare rate: the peers run before and after each
measurement, and the mean of the two counts. Where the machine is not alone, compare milliseconds of processor time:
`cpu_ms` is that of all our processes, start included; the peers' is theirs. `cores` is that time over the wall's: with
fewer than the machine has, others were at work on it, or somebody waited. Node fills more than one, too. Where Linux
shares time by session, `nice` does not put a run before the others' work, but `echo -15 > /proc/self/autogroup` does.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import resource
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import sqlalchemy as sa
import structlog
from footprint import footprint

from newsletter import pipeline
from newsletter.model import Interest, Profile, Subscriber
from newsletter.pipeline import courier
from newsletter.settings import Subscribers

TOPICS = (
    "recommendation", "vector similarity search", "knowledge graphs", "neural architecture search",
    "data selection for pretraining", "retrieval of documents", "search engines", "embedding compression",
    "click-through rate prediction", "dataset curation", "scaling laws of data", "image retrieval by hashing",
    "multimodal instruction tuning", "latent space representations", "tabular data and data lakes",
)  # fmt: skip
ANGLES = (
    "", " at scale", " with language models", " on small hardware", ": surveys", " without labels", " for images",
    " in production", ": benchmarks", " that is fair", " with privacy", " for science", " in theory", " for beginners",
)  # fmt: skip
RCPT = re.compile(rb"X-Rcpt-Args: <([^>]*)>")


def readers(count: int, domain: str = "example.net") -> tuple[Subscriber, ...]:
    """Readers with six interests each, drawn so that none is like another; their letters hold about twelve papers."""
    return tuple(_reader(number, random.Random(number), domain) for number in range(count))


def _reader(number: int, rng: random.Random, domain: str) -> Subscriber:
    interests = tuple(Interest(topic + rng.choice(ANGLES)) for topic in rng.sample(TOPICS, 6))
    name = f"r{number:06}"
    return Subscriber(name, f"{name}@{domain}", Profile(interests=interests), display_name=f"Reader {number}")


def configuration(folder: Path, port: int, connections: int) -> Path:
    config = folder / "config"
    (config / "subscribers").mkdir(parents=True)
    subprocess.run(["openssl", "genrsa", "-out", config / "dkim.pem", "2048"], check=True, capture_output=True)
    (config / "newsletter.yaml").write_text(
        "from: Papers <papers@example.org>\ndata: ../data\n"
        f"smtp: {{host: 127.0.0.1, security: none, port: {port}, connections: {connections}, rate_per_second: 100000,"
        " messages_per_connection: 100000}\n"
        "dkim: {domain: example.org, selector: s, key_file: dkim.pem}\n"
    )
    return config


def prepared(folder: Path, digest: Path, port: int, connections: int) -> Path:
    """A configuration whose edition is ready, as after `newsletter themes`: the libraries behind it are not loaded."""
    config = configuration(folder, port, connections)
    command, day = [sys.executable, "-m", "newsletter", "--config", config], digest.name[:10]
    for step in (["fetch", "--from", digest.absolute(), "--date", day], ["themes", "--date", day]):
        subprocess.run([*command, *step], check=True, capture_output=True)
    return config


def measured(digest: Path, count: int, port: int, connections: int, domain: str) -> dict[str, object]:
    """One run in a folder of its own: rates, shares of the stages, p99 of a letter from claim to settled, memory."""
    day = date.fromisoformat(digest.name[:10])
    took: list[float] = []
    one = courier._one  # noqa: SLF001  a stopwatch around it

    async def timed(*args):
        start = time.perf_counter()
        try:
            return await one(*args)
        finally:
            took.append(time.perf_counter() - start)

    with TemporaryDirectory() as folder:
        config = prepared(Path(folder), digest, port, connections)
        with pipeline.open_workspace(config, {"PATH": os.environ["PATH"]}) as opened, footprint() as took_all:
            edition = pipeline.prepare(opened, day)
            workspace = replace(opened, found=Subscribers(readers(count, domain)))
            now = datetime.now(UTC)
            start = time.perf_counter()
            with pipeline.crew(workspace, count) as helpers:
                pipeline.plan(workspace, edition, pipeline.readers(workspace), at=now, helpers=helpers)
                planned = time.perf_counter()
                courier._one = timed  # noqa: SLF001
                report = pipeline.deliver(workspace, edition.id, clock=courier.wall_clock(now), helpers=helpers)
                courier._one = one  # noqa: SLF001
            end = time.perf_counter()
            papers = _papers_each(workspace)
    took.sort()
    return {
        "letters": count,
        "papers_each": papers,
        "sent": report.counts["sent"],
        "per_second": round(count / (end - start), 1),
        "planned_per_second": round(count / (planned - start), 1),
        "delivered_per_second": round(count / (end - planned), 1),
        "cpu_ms": round(took_all["processor_s"] / count * 1000, 2),
        "cores": round(took_all.pop("processor_s") / (end - start), 2),
        "p99_ms": round(took[int(len(took) * 0.99)] * 1000, 1),
        **took_all,
        "load": round(os.getloadavg()[0], 1),
    }


def _papers_each(workspace: pipeline.Workspace) -> float:
    query = "SELECT count(*) * 1.0 / count(DISTINCT delivery) FROM delivery_papers"
    with workspace.engine.connect() as connection:
        return round(connection.execute(sa.text(query)).scalar_one(), 1)


def peer(folder: Path, mode: str, count: int, port: int, digest: Path) -> tuple[float, float]:
    """Letters a second of nodemailer and mjml, and milliseconds of processor time for each."""
    command = ["node", "peer.mjs", mode, str(count), str(port), digest.absolute()]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    ran = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return json.loads(ran.stdout.splitlines()[-1])["per_second"], seconds / count * 1000


def arrived(dump: Path, domain: str, count: int) -> dict[str, int]:
    """Letters lost and doubled among all that the sink wrote down for a run's readers."""
    ending = f"@{domain}".encode()
    with dump.open("rb") as lines:
        found = (RCPT.match(line) for line in lines if line.startswith(b"X-Rcpt-Args"))
        copies = Counter(match[1] for match in found if match and match[1].endswith(ending))
    return {"lost": count - len(copies), "doubled": sum(number > 1 for number in copies.values())}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--digest", type=Path, required=True)
    parser.add_argument("--port", type=int, default=2526)
    parser.add_argument("--letters", type=int, nargs="+", default=[1000])
    parser.add_argument("--connections", type=int, default=10)
    parser.add_argument("--peer", type=Path)
    parser.add_argument("--dump", type=Path)
    given = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(30))

    def peers() -> dict[str, tuple[float, float]]:
        if given.peer is None:
            return {}
        sizes = {"per-message": 100, "precompiled": 500}
        return {mode: peer(given.peer, mode, size, given.port, given.digest) for mode, size in sizes.items()}

    before = peers()
    for run, count in enumerate(given.letters):
        domain = f"run{run}-{os.getpid()}.example.net"
        found = measured(given.digest, count, given.port, given.connections, domain)
        after = peers()
        if given.dump:
            found |= arrived(given.dump, domain, count)
        for mode in before:
            rate, spent = ((before[mode][part] + after[mode][part]) / 2 for part in (0, 1))
            found |= {mode: round(rate, 1), f"{mode} cpu_ms": round(spent, 2)}
            found |= {f"{mode} cores": round(rate * spent / 1000, 2)}
            found |= {f"times {mode}": round(found["per_second"] / rate, 1)}
        print(json.dumps(found), flush=True)
        before = after


if __name__ == "__main__":
    main()
