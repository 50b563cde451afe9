"""The operator's pages, behind a password or a proxy's header."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter()
