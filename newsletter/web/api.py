"""The archive as JSON, described by OpenAPI."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter()
