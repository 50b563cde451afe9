"""Whether it is well, and its numbers, for machines."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter()
