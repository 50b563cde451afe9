"""The way out: one click (RFC 8058), no login, never by GET."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter()
