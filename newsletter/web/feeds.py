"""Atom feeds, the sitemap, robots.txt."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter()
