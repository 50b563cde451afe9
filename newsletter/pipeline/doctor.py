"""`newsletter doctor`: everything that keeps letters from arriving, checked from here; each finding says what to do."""

from __future__ import annotations

import asyncio
import os
import shutil
import stat
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta

from newsletter.errors import NewsletterError
from newsletter.letter.budget import LIMIT
from newsletter.letter.check import check_templates
from newsletter.mail import published
from newsletter.mail.connection import Connection, open_connection
from newsletter.mail.message import sender
from newsletter.mail.published import Finding, Names, UnansweredError
from newsletter.model import Letter, Message, Outcome
from newsletter.pipeline.posting import Post, deliver_one, mail_server, message, open_post
from newsletter.pipeline.workspace import Workspace
from newsletter.store.overview import overview

_FREE = 200 * 2**20
_PLENTY = 2 * 2**30
_FRAME = LIMIT // 2
_DAY = timedelta(days=1)


def examine(workspace: Workspace, names: Names, *, at: datetime, to: str = "") -> Iterator[Finding]:
    """Every check in turn, the near ones first; with `to`, a test letter is sent there."""
    yield disk(workspace)
    yield from rights(workspace)
    yield clock(workspace, at)
    yield from templates(workspace, at)
    yield from _asked("DNS", lambda: _domain(workspace, names))
    yield from _asked("DKIM signature", lambda: _signature(workspace, names, at))
    yield from _asked("PTR", lambda: [published.ptr(names, workspace.settings.smtp.host)])
    yield login(workspace)
    if to:
        yield test_letter(workspace, to, at)


def disk(workspace: Workspace) -> Finding:
    """Room for the database: what cannot be written down is not sent."""
    free = shutil.disk_usage(workspace.settings.data).free
    says = f"{free / 2**30:.1f} GB free at {workspace.settings.data}"
    if free < _PLENTY:
        return Finding("disk", "bad" if free < _FREE else "warning", says, "Free some space or move `data`")
    return Finding("disk", "good", says)


def rights(workspace: Workspace) -> Iterator[Finding]:
    """The data folder can be written, and the keys are nobody else's to read."""
    data, dkim = workspace.settings.data, workspace.settings.dkim
    if not os.access(data, os.W_OK | os.X_OK):
        yield Finding("data folder", "bad", f"{data} cannot be written", "Give this user the right to write there")
    else:
        yield Finding("data folder", "good", f"{data} can be written")
    for path in (data / "secret.key", *([dkim.key_file] if dkim else [])):
        if path.exists() and path.stat().st_mode & (stat.S_IROTH | stat.S_IWOTH):
            yield Finding(
                f"rights of {path.name}", "warning", "everyone on this machine can read it", f"chmod 600 {path}"
            )


def clock(workspace: Workspace, at: datetime) -> Finding:
    """The clock has not gone back behind what the ledger holds."""
    newest = overview(workspace.engine, at - _DAY, at).newest
    if newest and newest > at + timedelta(minutes=1):
        says = f"it shows {at:%Y-%m-%d %H:%M %Z}, but the ledger has a line of {newest:%Y-%m-%d %H:%M} UTC"
        return Finding("clock", "bad", says, "Set it, and let the system keep it: timedatectl set-ntp true")
    return Finding("clock", "good", f"{at:%Y-%m-%d %H:%M:%S %Z}, not before the ledger's last line")


def templates(workspace: Workspace, at: datetime) -> Iterator[Finding]:
    """They compile, and leave room for papers below the size that mail programs show."""
    folder = workspace.config / "templates"
    problems = check_templates(folder)
    if problems:
        yield Finding("templates", "bad", str(problems[0]), "newsletter check lists every problem")
        return
    _, rendered = message(open_post(workspace), _letter("reader@example.org", at), date=at)
    size = len(rendered.html.encode())
    says = f"{size:,} bytes without papers, of {LIMIT:,} that a letter may have"
    grade: published.Grade = "warning" if size > _FRAME else "good"
    yield Finding("templates", grade, says, f"Make {folder} lighter" if grade != "good" else "")


def login(workspace: Workspace) -> Finding:
    """The mail server is there, encrypted as wanted, and takes the login."""
    server = mail_server(workspace)
    check, smtp = f"mail server {server.host}:{server.port}", workspace.settings.smtp

    async def knock() -> Outcome | None:
        opened = await open_connection(server)
        if isinstance(opened, Connection):
            await opened.quit()
            return None
        return opened

    refused = asyncio.run(knock())
    if refused:
        said = " ".join(part for part in (str(refused.code or ""), refused.enhanced, refused.text) if part)
        return Finding(check, "bad", f"{refused.phase}: {said}", "Check smtp.host, port, security, username, password")
    plain = {"none": "not encrypted (this machine)", "trusted-network": "not encrypted (a network you trust)"}
    safe = plain.get(smtp.security, f"{smtp.security}, certificate valid")
    return Finding(check, "good", f"{safe}, {'login accepted' if smtp.username else 'no login'}")


def test_letter(workspace: Workspace, to: str, at: datetime) -> Finding:
    """A short signed letter to `to`: what the server says of it."""
    sealed, _ = message(open_post(workspace), _letter(to, at), date=at, test_to=to)
    said = asyncio.run(deliver_one(workspace, sealed))
    if said.kind == "accepted":
        do = "See there that SPF, DKIM and DMARC pass: Authentication-Results in the letter's header"
        return Finding("test letter", "good", f"accepted: {said.code} {said.text}", do)
    return Finding("test letter", "bad", f"{said.kind}: {said.code or ''} {said.text}", "Mend what the server says")


def _domain(workspace: Workspace, names: Names) -> Iterator[Finding]:
    settings = workspace.settings
    origin = sender(settings.sender, title=settings.title, bounces=settings.bounces or "")
    author, returning = origin.origin.domain, origin.bounces.rpartition("@")[2]
    yield published.spf(names, returning)
    if settings.dkim is None:
        do = "Add `dkim` to newsletter.yaml; docs/operating.md says how"
        yield Finding("DKIM key", "bad", "letters are not signed; large providers want it", do)
    else:
        signer = open_post(workspace).signer
        yield from published.dkim_keys(names, getattr(signer, "records", {}))
    yield published.dmarc(names, author, settings.dkim.domain if settings.dkim else "", returning)
    for domain in dict.fromkeys((returning, author)):
        yield published.mx(names, domain)


def _signature(workspace: Workspace, names: Names, at: datetime) -> Iterator[Finding]:
    """A letter to ourselves, verified as a receiver would: by dkimpy, with the key in DNS."""
    if workspace.settings.dkim is None:
        return
    post = open_post(workspace)
    sealed = _to_self(post, at)
    verified = _verified(sealed, names)
    if verified:
        yield Finding("DKIM signature", "good", "a letter to ourselves verifies with the key in DNS")
    else:
        do = "Publish the key that `DKIM key` above names; DNS may take an hour"
        yield Finding("DKIM signature", "bad", "a letter to ourselves does not verify with the key in DNS", do)


def _to_self(post: Post, at: datetime) -> Message:
    return message(post, _letter(post.origin.origin.address, at), date=at)[0]


def _verified(sealed: Message, names: Names) -> bool:
    import dkim

    def look_up(name: bytes, timeout: int = 5) -> bytes | None:  # noqa: ARG001  dkimpy's signature
        found = names.txt(name.decode().rstrip("."))
        return found[0].encode() if found else None

    try:
        return bool(dkim.verify(sealed.data, dnsfunc=look_up))
    except dkim.DKIMException:
        return False


def _letter(to: str, at: datetime) -> Letter:
    return Letter(
        f"doctor/{at.date()}", at.date(), "doctor", to, "", "en", "A letter from newsletter doctor", "", (), ()
    )


def _asked(check: str, ask: Callable[[], Iterable[Finding]]) -> Iterator[Finding]:
    """The findings of `ask`, or why there are none: a check that cannot be made is a finding, too."""
    try:
        yield from ask()
    except UnansweredError as error:
        do = "Run it again where DNS answers, or name a server: --nameserver 9.9.9.9"
        yield Finding(check, "unknown", f"DNS gave no answer ({error})", do)
    except NewsletterError as error:
        yield Finding(check, "bad", f"{error.what} {error.which}: {error.why}", error.do or "newsletter check")


def names_from(nameserver: str) -> Names:
    """DNS as the system has it, or by the server ``HOST`` or ``HOST:PORT``."""
    from dns.resolver import Resolver

    if not nameserver:
        return Names(Resolver())
    host, _, port = nameserver.rpartition(":") if nameserver.count(":") == 1 else (nameserver, "", "")
    resolver = Resolver(configure=False)
    resolver.nameservers, resolver.port = [host], int(port or 53)
    return Names(resolver)
