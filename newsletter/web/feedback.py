"""What a reader says of a paper: more, less, save; and what they saved."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter()
