"""Search over the archive's papers."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter()
