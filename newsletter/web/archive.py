"""Editions, their themes and charts, for everyone."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter()
