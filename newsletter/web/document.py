"""The reader's document itself, checked while they type and saved under the same rules."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter()
