"""The first page and the way in: subscribe, with a mail that asks whether the address is the reader's own."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter()
