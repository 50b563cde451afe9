"""Reading the configuration folder: settings, subscribers, and every problem of every file at once."""

from __future__ import annotations

import re
import stat
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from newsletter.errors import ConfigError
from newsletter.model import Subscriber
from newsletter.settings import subscriber as reader
from newsletter.settings.environment import overlaid, overrides, substituted
from newsletter.settings.explain import label, problems_of
from newsletter.settings.problems import Problem, errors
from newsletter.settings.reading import MAX_BYTES, Loc, Tree, read_tree
from newsletter.settings.service import Settings

SETTINGS_FILE = "newsletter.yaml"
FOLDER = "subscribers"
ROWS = "database:"  # stands before the name of a document in the database, where a file has its path
WAITING = frozenset({("smtp", "password"), ("imap", "password")})  # a missing variable here hinders nothing else
_STEM = re.compile(r"[\w@+-][\w.@+-]*")
_LEFT_ALONE = (".md", ".txt", ".bak", ".orig", ".swp", ".tmp", ".json", ".gitkeep")


@dataclass(frozen=True)
class Read:
    """One subscriber's document as it was read at `stamp`; `place` is that of the address. `path` tells where it is."""

    path: Path
    stamp: tuple[object, ...]
    subscriber: Subscriber | None
    problems: tuple[Problem, ...]
    place: tuple[int, int] = (1, 1)


@dataclass(frozen=True)
class Subscribers:
    """The readers whose files are right, by name, and what is wrong with the others."""

    subscribers: tuple[Subscriber, ...] = ()
    problems: tuple[Problem, ...] = ()
    files: Mapping[str, Read] = field(default_factory=dict, repr=False, compare=False)


def load_settings(config: Path, environ: Mapping[str, str]) -> Settings:
    """The settings of the folder `config`; raises ConfigError that names every problem."""
    settings, problems = read_settings(config, environ)
    if settings is None:
        raise ConfigError(
            "The settings cannot be used",
            why="\n" + "\n".join(map(str, errors(problems))),
            do="\n`newsletter check` lists every problem",
        )
    return settings


def read_settings(config: Path, environ: Mapping[str, str]) -> tuple[Settings | None, tuple[Problem, ...]]:
    """The settings, None where they have errors, and every problem. What only sending needs is no obstacle."""
    tree, problems, absent = _document(config, environ)
    if not isinstance(tree.data, dict):
        problems += [] if problems else [tree.problem((), "the document must be a map of keys")]
        return None, tuple(sorted(problems))
    absent = {key: problem for key, problem in absent.items() if _logs_in(tree.data, key)}
    try:
        settings = Settings.model_validate(tree.data, context={"folder": str(config.resolve())})
    except ValidationError as error:
        told = {(one.path, one.line, one.column) for one in (*problems, *absent.values())}
        problems += [one for one in problems_of(error, Settings, tree) if (one.path, one.line, one.column) not in told]
        return None, tuple(sorted([*problems, *absent.values()]))
    absent |= _absent_files(settings, tree)
    problems += _doubts(settings, tree)
    usable = None if errors(problems) else settings.with_absent(absent)
    return usable, tuple(sorted([*problems, *absent.values()]))


def _document(config: Path, environ: Mapping[str, str]) -> tuple[Tree, list[Problem], dict[str, Problem]]:
    """newsletter.yaml under the environment's overrides, its problems, and by key missing variables that can wait."""
    path = config / SETTINGS_FILE
    tree = read_tree(_settings_file(path), str(path))
    problems, absent = list(tree.problems), dict[str, Problem]()
    if not isinstance(tree.data, dict):
        return tree, problems, absent
    found, doubtful = overrides(Settings, environ)
    data, missing = substituted(Settings, tree.data, environ)
    elsewhere = {override.loc: f"environment variable {override.variable}" for override in found}
    tree = replace(tree, data=overlaid(data, found), elsewhere=elsewhere)
    for one in missing:
        if one.loc in elsewhere:
            continue
        problem = tree.problem(
            one.loc, f"{label(one.loc)}: the environment has no variable {one.variable}; set it, or change this line"
        )
        if one.loc in WAITING:
            absent[label(one.loc)] = problem
        else:
            problems.append(problem)
    return tree, problems + doubtful, absent


def _logs_in(data: Mapping[str, Any], key: str) -> bool:
    """Whether the password under `key` is needed at all."""
    server = data.get(key.partition(".")[0])
    return isinstance(server, dict) and bool(server.get("username"))


def _settings_file(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        init = (
            f"`newsletter init {path.parent}` writes a commented one"
            if not path.parent.exists()
            else "`newsletter --config DIR` names another folder"
        )
        raise ConfigError(
            "No settings in", which=str(path), why=error.strerror or str(error), do=init[0].upper() + init[1:]
        ) from error


def _absent_files(settings: Settings, tree: Tree) -> dict[str, Problem]:
    wanted: list[tuple[Loc, Path | None]] = [
        (("smtp", "password_file"), settings.smtp.password_file if settings.smtp.username else None)
    ]
    wanted += [
        (("smtp", "ca_file"), settings.smtp.ca_file),
        (("imap", "password_file"), settings.imap.password_file if settings.imap else None),
        (("imap", "ca_file"), settings.imap.ca_file if settings.imap else None),
        (("dkim", "key_file"), settings.dkim.key_file if settings.dkim else None),
        (("admin", "password_file"), settings.admin.password_file if settings.admin else None),
        (("language_model", "api_key_file"), settings.language_model.api_key_file if settings.language_model else None),
    ]
    return {
        label(loc): tree.problem(loc, f"{label(loc)}: there is no file {path}")
        for loc, path in wanted
        if path and not path.is_file()
    }


def _doubts(settings: Settings, tree: Tree) -> Iterator[Problem]:
    """What no single key can tell."""
    names = [source.name for source in settings.sources]
    for index, name in enumerate(names):
        if name in names[:index]:
            yield tree.problem(
                ("sources", index, "name"), f"a source named {name!r} is already there; give this one another name"
            )
    domain = settings.sender.rstrip(">").rpartition("@")[2]
    if settings.dkim and settings.dkim.domain != domain and not domain.endswith("." + settings.dkim.domain):
        yield tree.problem(
            ("dkim", "domain"),
            f"{settings.dkim.domain} is not the domain of `from` ({domain}): DMARC will not count the signature",
            warning=True,
        )
    if settings.admin and settings.admin.header and not (settings.web and settings.web.proxies):
        yield tree.problem(
            ("admin", "header"), "anyone could send this header; name the proxy that sets it in web.proxies"
        )
    if settings.base_url.startswith("http:") and not re.match(r"http://(localhost|127\.|\[::1\])", settings.base_url):
        yield tree.problem(("base_url",), "one-click unsubscribe needs https (RFC 8058)", warning=True)


def load_subscribers(
    config: Path,
    settings: Settings | None = None,
    previous: Subscribers | None = None,
    *,
    only: AbstractSet[str] | None = None,
) -> Subscribers:
    """Every reader of the folder `config`/subscribers whose file is right, by name, and every problem of the others.

    A file with an error yields no subscriber; two files with one address: the first by name keeps it. Files that have
    not changed since `previous` are not read again. With `only`, no other files are: for a preview or a test send, not
    for an edition, because an address that two files claim is seen only where both are read.
    """
    timezone = settings.schedule.timezone if settings else "UTC"
    folder = config / FOLDER
    known = previous.files if previous else {}
    reads: dict[str, Read] = {}
    problems: list[Problem] = []
    for path in _listed(folder, problems):
        if only is not None and path.stem not in only:
            continue
        before, stamp = known.get(path.name), _stamp(path, timezone)
        reads[path.name] = before if before and stamp and before.stamp == stamp else _read_file(path, stamp, timezone)
    kept, doubles = _one_address_each(reads.values())
    problems += [problem for read in reads.values() for problem in read.problems] + doubles
    if not reads and only is None:
        problems.append(
            Problem(str(folder), 0, 0, "no subscribers; write one file for each, such as ada.yaml", "warning")
        )
    return Subscribers(tuple(kept), tuple(sorted(problems)), reads)


def load_documents(
    versions: Mapping[str, int],
    texts: Callable[[Collection[str]], Mapping[str, str]],
    settings: Settings | None = None,
    previous: Subscribers | None = None,
    *,
    only: AbstractSet[str] | None = None,
) -> Subscribers:
    """`load_subscribers` for documents in a database: the version of each by name, and `texts` to ask for some of them.

    Only those that have another version than in `previous` are asked for and read. A problem's place is
    ``database:NAME:line:column``.
    """
    timezone = settings.schedule.timezone if settings else "UTC"
    known = previous.files if previous else {}
    wanted = {name: version for name, version in sorted(versions.items()) if only is None or name in only}
    stamps = {name: ("row", timezone, version) for name, version in wanted.items()}
    reads = {name: known[name] for name, stamp in stamps.items() if name in known and known[name].stamp == stamp}
    fresh = texts([name for name in wanted if name not in reads]) if len(reads) < len(wanted) else {}
    for name, text in fresh.items():
        reads[name] = _read(name, text.encode("utf-8", "surrogatepass"), Path(ROWS + name), stamps[name], timezone)
    reads = dict(sorted(reads.items()))
    kept, doubles = _one_address_each(reads.values())
    problems = [problem for read in reads.values() for problem in read.problems] + doubles
    if not reads and only is None:
        empty = "no subscribers; bring documents in with newsletter subscribers import, or let readers subscribe"
        problems.append(Problem(ROWS.rstrip(":"), 0, 0, empty, "warning"))
    return Subscribers(tuple(kept), tuple(sorted(problems)), reads)


def read_subscriber(
    name: str, data: bytes, path: str, *, timezone: str = "UTC"
) -> tuple[Subscriber | None, tuple[Problem, ...]]:
    """The subscriber `name` from a document's bytes, None where it has errors, and every problem with its place."""
    read = _read(name, data, Path(path), (), timezone)
    return read.subscriber, tuple(sorted(read.problems))


def is_name(name: str) -> bool:
    """Whether a subscriber may be called so: it is the stem of a file."""
    return _STEM.fullmatch(name) is not None


def _listed(folder: Path, problems: list[Problem]) -> Iterator[Path]:
    """The subscribers' files by name; what was probably meant as one and is not read becomes a warning."""
    if not folder.is_dir():
        return
    for path in sorted(folder.iterdir()):
        if path.name.startswith((".", "#")) or path.name.endswith("~"):
            continue  # hidden, or an editor's backup
        suffix = path.suffix.lower()
        if path.is_dir():
            problems.append(Problem(str(path), 0, 0, "a folder; subscribers in folders are not read", "warning"))
        elif suffix in (".yaml", ".yml"):
            yield path
        elif suffix not in _LEFT_ALONE:
            problems.append(Problem(str(path), 0, 0, "not read: a subscriber's file ends with .yaml", "warning"))


def _stamp(path: Path, timezone: str) -> tuple[object, ...]:
    """Differs where the file or what it is read with has changed; empty where it cannot be told."""
    try:
        seen = path.stat()
    except OSError:
        return ()
    return (str(path), timezone, seen.st_mtime_ns, seen.st_ctime_ns, seen.st_size, seen.st_ino)


def _read_file(path: Path, stamp: tuple[object, ...], timezone: str) -> Read:
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return _refused(path, stamp, "not a file")
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
            size = path.stat().st_size
    except OSError as error:
        return _refused(path, stamp, f"cannot be read: {error.strerror or error}")
    if len(data) > MAX_BYTES:
        return _refused(path, stamp, f"{size:,} bytes; a configuration file holds at most {MAX_BYTES:,}")
    if not is_name(path.stem):
        return _refused(
            path, stamp, "the name before .yaml is the subscriber's name; use letters, digits and . _ - + @ alone"
        )
    return _read(path.stem, data, path, stamp, timezone)


def _refused(path: Path, stamp: tuple[object, ...], why: str) -> Read:
    return Read(path, stamp, None, (Problem(str(path), 0, 0, why),))


def _read(name: str, data: bytes, path: Path, stamp: tuple[object, ...], timezone: str) -> Read:
    tree = read_tree(data, str(path), text_keys=reader.TEXT_KEYS)
    if tree.data is None and tree.problems:
        return Read(path, stamp, None, tree.problems)
    try:
        document = reader.SubscriberDocument.model_validate(tree.data)
    except ValidationError as error:
        return Read(path, stamp, None, (*tree.problems, *problems_of(error, reader.SubscriberDocument, tree)))
    doubts = tuple(tree.problem(loc, message, warning=True) for loc, message in reader.warnings(document))
    subscriber = None if tree.problems else reader.subscriber(name, document, timezone)
    return Read(path, stamp, subscriber, (*tree.problems, *doubts), tree.place(("email",)))


def _one_address_each(reads: Iterable[Read]) -> tuple[list[Subscriber], list[Problem]]:
    """The subscribers without those whose name or address an earlier file has (case-insensitive), and why."""
    kept: list[Subscriber] = []
    problems: list[Problem] = []
    owner: dict[str, Read] = {}
    for read in reads:
        if read.subscriber is None:
            continue
        email, name = read.subscriber.email.casefold(), f"name {read.subscriber.name}"
        if first := owner.get(email):
            line, column = first.place
            where = f"{first.path}:{line}:{column}"
            message = f"duplicate address {read.subscriber.email}: {where} has it already, and keeps its letters"
            problems.append(Problem(str(read.path), *read.place, message))
        elif first := owner.get(name):
            problems.append(
                Problem(str(read.path), 0, 0, f"the subscriber {read.subscriber.name!r} is already in {first.path}")
            )
        else:
            kept.append(read.subscriber)
            owner[email] = owner[name] = read
    return kept, problems


def check(config: Path, environ: Mapping[str, str], *, only: str | None = None) -> tuple[int, tuple[Problem, ...]]:
    """How many subscribers are right, and every problem of the settings and of every subscriber, or of `only` one."""
    settings, problems = read_settings(config, environ)
    found = load_subscribers(config, settings, only=None if only is None else {only})
    return len(found.subscribers), (*problems, *found.problems)
