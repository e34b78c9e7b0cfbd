"""``python -m MedSegAI.CommandLine``: the same as the ``medsegai`` command."""

from __future__ import annotations

import sys

from MedSegAI.CommandLine.main import main

if __name__ == "__main__":
    sys.exit(main())
