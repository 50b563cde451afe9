"""Which format is it? Decided by the bytes alone: names lie, and so do file endings."""

from __future__ import annotations

import codecs
import zlib
from datetime import date

from newsletter.sources import json_document, page, xml_document
from newsletter.sources.reading import Reading

BYTES_MAX = 32 * 1024 * 1024  # the largest real digest has 0.2 MB
_GZIP = b"\x1f\x8b"
_LAYERS = 3
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


def read(data: bytes, *, today: date) -> Reading | str:
    """The papers in the bytes of a file or an answer; a string says why there is nothing to read.

    gzip is known by its magic number and opened wherever it stands, at most three layers and 32 MiB in all.
    """
    unpacked = unpack(data)
    if isinstance(unpacked, str):
        return unpacked
    document = decode(unpacked)
    if document is not None:
        return _read_text(document.lstrip(), today)
    if unpacked.lstrip()[:5] == b"<?xml":  # its declaration may name another encoding
        return xml_document.read(unpacked)
    return "it is a binary file, not text in UTF-8"


def _read_text(document: str, today: date) -> Reading | str:
    start = document[:1]
    if not start:
        return "it is empty"
    if start == "<":
        return xml_document.read(document)
    if start in "{[":
        return json_document.read(document)
    if page.looks_like(document):
        return page.read(document, today)
    return "it is neither a page dump nor JSON, JSON Lines, Atom or RSS"


def unpack(data: bytes, *, limit: int = BYTES_MAX) -> bytes | str:
    """The bytes without their gzip layers, or why not: cut off, damaged, or larger than `limit` when unpacked."""
    for _ in range(_LAYERS):
        if len(data) > limit:
            return f"it is larger than {limit // 2**20} MiB"
        if not data.startswith(_GZIP):
            return data
        opened = _gunzip(data, limit)
        if isinstance(opened, str):
            return opened
        data = opened
    return f"it is packed more than {_LAYERS - 1} times" if data.startswith(_GZIP) else data


def _gunzip(data: bytes, limit: int) -> bytes | str:
    """All members of a gzip file (RFC 1952 allows several), stopping where the output passes the limit."""
    opened = bytearray()
    rest = data
    try:
        while rest.startswith(_GZIP):
            member = zlib.decompressobj(wbits=31)
            opened += member.decompress(rest, max_length=limit - len(opened) + 1)
            if len(opened) > limit:
                return f"it unpacks to more than {limit // 2**20} MiB"
            if not member.eof:
                return "its gzip data is cut off"
            rest = member.unused_data
    except zlib.error as error:
        return f"its gzip data is damaged ({error})"
    return bytes(opened)


def decode(data: bytes) -> str | None:
    """Text in UTF-8, or in UTF-16 with a byte order mark; None for anything else."""
    encoding, skip = next(((name, len(mark)) for mark, name in _MARKS if data.startswith(mark)), ("utf-8", 0))
    try:
        return data[skip:].decode(encoding)
    except UnicodeDecodeError:
        return None
