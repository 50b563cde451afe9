"""The letters that a reader got, in the browser."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter()
