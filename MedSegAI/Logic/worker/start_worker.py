"""The worker's start, run by its file name: makes the package ``MedSegAI`` of the very tree this file lies in.

In an installed Slicer extension no folder is called MedSegAI, and the module file MedSegAI.py cannot be imported
outside the application, so ``python -m MedSegAI...`` would find nothing, or another installation.
"""

from __future__ import annotations

import sys
import types
from pathlib import Path

FOLDER = Path(__file__).resolve().parent


def main() -> int:
    """Serve as a worker; see :func:`MedSegAI.Logic.worker.worker.main`."""
    # Python put this file's folder first; its names (protocol, jobs) must not hide other packages'.
    sys.path[:] = [entry for entry in sys.path if not entry or Path(entry).resolve() != FOLDER]
    package = types.ModuleType("MedSegAI")
    package.__path__ = [str(FOLDER.parents[1])]
    sys.modules["MedSegAI"] = package
    from MedSegAI.Logic.worker import worker

    return worker.main()


if __name__ == "__main__":
    sys.exit(main())
