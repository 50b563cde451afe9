"""A folder as a mail transport: every letter becomes an `.eml` file that mail programs open."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from newsletter.errors import DeliveryError
from newsletter.model import Message, Outcome


class Outbox:
    """Writes letters to `folder`, each at once or not at all, and never over another one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def __aenter__(self) -> Self:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DeliveryError(
                "Cannot use the outbox",
                which=str(self.folder),
                why=error.strerror or str(error),
                do="Name another folder",
            ) from error
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    async def deliver(self, message: Message, *, begin: Callable[[], Awaitable[bool]]) -> Outcome:
        """Write the message as an `.eml` file with its name; see `newsletter.mail.Transport`.

        The same message again is accepted and changes nothing; another one under a taken name gets a number.
        """
        if not await begin():
            return Outcome("deferred", "mail", text="withdrawn before it was written")
        stem = file_name(message.name or message.message_id)
        try:
            path = await asyncio.to_thread(_write_once, self.folder, stem, message.data)
        except OSError as error:
            return Outcome("stop", "dot", text=f"cannot write to {self.folder}: {error.strerror or error}")
        return Outcome("accepted", "dot", 250, "2.0.0", str(path))


def file_name(text: str) -> str:
    """`text` as a file name on every system: letters, digits, ``.@_+-``; never hidden, empty or longer than 120."""
    return re.sub(r"[^\w.@+-]+", "-", text).strip(".-")[:120] or "letter"


def _write_once(folder: Path, stem: str, data: bytes) -> Path:
    """The file that holds `data`: there already, or linked into place whole under the first free number."""
    part = folder / f".{stem}.{os.getpid()}.{id(data):x}.part"
    try:
        with part.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        for number in range(1, 10_000):
            path = folder / (f"{stem}.eml" if number == 1 else f"{stem}-{number}.eml")
            try:
                path.hardlink_to(part)
            except FileExistsError:
                if path.read_bytes() != data:
                    continue
            return path
    finally:
        part.unlink(missing_ok=True)
    raise FileExistsError(17, "too many letters of one name", str(folder / stem))
