"""Renew package-lock.json: names, versions and hashes only, no address of any kind."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

FOLDER = Path(__file__).parent
LOCK = FOLDER / "package-lock.json"

subprocess.run(
    ["npm", "install", "--package-lock-only", "--omit-lockfile-registry-resolved=true"],
    cwd=FOLDER,
    check=True,
)
lock = json.loads(LOCK.read_text())
for package in lock["packages"].values():
    package.pop("funding", None)
    package.pop("resolved", None)
LOCK.write_text(json.dumps(lock, indent=2) + "\n")
