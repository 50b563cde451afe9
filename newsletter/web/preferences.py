"""What a reader gets, changed by a signed link: form, document, pause."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter()
