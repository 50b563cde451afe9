"""The web side: subscribe, preferences, the way out, feedback, the archive, the operator's pages.

app = create_app(Desk(workspace, os.environ, clock))      # an ASGI application
"""

from __future__ import annotations

from newsletter.web.desk import Desk

__all__ = ["Desk"]
