"""What is kept about a reader: given to them, or erased."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter()
