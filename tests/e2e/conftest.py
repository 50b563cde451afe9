"""A configuration of its own for each test, and the command as a user runs it: another process."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

COMMAND = Path(sys.executable).parent / "newsletter"
READERS = 12
PLANNED = datetime(2025, 3, 13, 7, tzinfo=UTC)
TOPICS = ("graph retrieval", "video diffusion", "protein folding", "speech recognition", "robot grasping")


@dataclass(frozen=True)
class House:
    """A configuration folder with its data, and how to run the command on it."""

    folder: Path
    command: Path = COMMAND

    @property
    def config(self) -> Path:
        return self.folder / "config"

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("NEWSLETTER_")}
        return {**kept, "NEWSLETTER_DATA": str(self.folder / "data")}

    def run(self, *args: object, **more: object) -> subprocess.CompletedProcess[str]:
        """Run `newsletter --config … args` to its end; nothing is checked."""
        environment = {**self.environment, **more.pop("environment", {})}
        return subprocess.run(
            [COMMAND, "--config", self.config, *map(str, args)], env=environment, cwd=self.folder,
            capture_output=True, text=True, check=False, timeout=300, **more,
        )  # fmt: skip

    def done(self, *args: object, **more: object) -> str:
        """The standard output of a command that must succeed."""
        ran = self.run(*args, **more)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout

    def json(self, *args: object) -> object:
        return json.loads(self.done(*args, "--json"))

    def status(self, day: str) -> dict[str, int]:
        return self.json("status", "--date", day)

    def subscriber(self, name: str, text: str) -> None:
        (self.config / "subscribers" / f"{name}.yaml").write_text(text, encoding="utf-8")

    def digest(self, day: str, count: int, *, first: int = 0, **changes: object) -> Path:
        """A JSON Lines digest of `count` papers; `changes` replace keys of every paper."""
        path = self.folder / f"{day}.jsonl"
        lines = [{**paper(day, first + n), **changes} for n in range(count)]
        path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
        return path


def paper(day: str, number: int) -> dict[str, object]:
    """A paper of a made-up day, different from every other."""
    topic = TOPICS[number % len(TOPICS)]
    return {
        "id": f"{day[2:4]}{day[5:7]}.{10000 + int(day[8:]) * 100 + number}",
        "title": f"Study {number} of {day}: {topic} in practice",
        "abstract": f"We study {topic} with method {number}. It improves {topic} by {number + 3} percent.",
        "authors": ["Ada Lovelace", "Emmy Noether"],
        "published": day,
        "upvotes": number,
    }


@pytest.fixture
def bare(tmp_path: Path) -> House:
    """An empty folder for a test that writes its own configuration."""
    (tmp_path / "config" / "subscribers").mkdir(parents=True)
    return House(tmp_path)


@pytest.fixture
def house(tmp_path: Path) -> House:
    """The example configuration with one subscriber, Ada, who reads daily."""
    config = tmp_path / "config"
    (config / "subscribers").mkdir(parents=True)
    (config / "newsletter.yaml").write_text(
        "title: Trending papers\nfrom: Papers <papers@example.org>\nsmtp: {host: 127.0.0.1, security: none, port: 9}\n"
    )
    made = House(tmp_path)
    made.subscriber("ada", "email: ada@example.org\ndays: daily\ninterests: [graph retrieval, video diffusion]\n")
    return made


@pytest.fixture(scope="session")
def prepared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A house whose edition of 2025-03-13 is learned, made once."""
    folder = tmp_path_factory.mktemp("prepared")
    config = folder / "config"
    (config / "subscribers").mkdir(parents=True)
    (config / "newsletter.yaml").write_text(
        "from: Papers <papers@example.org>\nsmtp: {host: 127.0.0.1, security: none, port: 9}\n"
    )
    made = House(folder)
    for name in ("ada", "emmy"):
        made.subscriber(
            name, f"email: {name}@example.org\ndays: daily\ninterests: [graph retrieval, video diffusion]\n"
        )
    made.done("fetch", "--from", made.digest("2025-03-13", 20))
    made.done("themes", "--date", "2025-03-13")
    return folder


@pytest.fixture
def prepared(prepared_folder: Path, tmp_path: Path) -> House:
    """A copy of the prepared house, for this test alone: Ada and Emmy, 20 papers on 2025-03-13."""
    shutil.copytree(prepared_folder, tmp_path / "house")
    return House(tmp_path / "house")


@pytest.fixture(scope="session")
def planned_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A house whose twelve readers' letters of 2025-03-13 are planned and not sent, made once."""
    from newsletter import pipeline

    made = House(tmp_path_factory.mktemp("planned"))
    (made.config / "subscribers").mkdir(parents=True)
    (made.config / "newsletter.yaml").write_text(
        "from: Papers <papers@example.org>\nsmtp: {host: 127.0.0.1, security: none, port: 9}\n"
    )
    for number in range(READERS):
        name = f"r{number:02}"
        made.subscriber(name, f"email: {name}@example.org\ndays: daily\ninterests: [graph retrieval]\n")
    with pipeline.open_workspace(made.config, made.environment) as workspace:
        pipeline.fetch_path(workspace, made.digest(str(PLANNED.date()), 20), day=None, today=PLANNED.date())
        edition = pipeline.prepare(workspace, PLANNED.date())
        pipeline.plan(workspace, edition, pipeline.readers(workspace), at=PLANNED)
    return made.folder


@pytest.fixture
def planned(planned_folder: Path, tmp_path: Path) -> House:
    """A copy of the house with twelve planned letters, for this test alone."""
    shutil.copytree(planned_folder, tmp_path / "house")
    return House(tmp_path / "house")


@pytest.fixture
def smtp() -> Callable[..., object]:
    """An SMTP server on loopback that keeps what it is given."""
    from newsletter.mail.inbox import inbox

    with inbox() as box:
        yield box
