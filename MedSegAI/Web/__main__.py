"""``python -m MedSegAI.Web``: serve the browser app."""

from __future__ import annotations

import sys

from MedSegAI.Web.gateway.command_line import main

if __name__ == "__main__":
    sys.exit(main())
