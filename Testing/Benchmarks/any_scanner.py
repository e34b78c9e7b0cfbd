"""Everything measured of "any scanner, any modality", one after the other in one run, as one Markdown page.

    python -m Testing.Benchmarks.any_scanner [-o page.md]

What each part does, and what it is held against (SimpleITK, MONAI, Slicer's reader, pydicom, scipy, torch), its own
module says; a part can be run alone. Takes about ten minutes, most of it N4 at full resolution. The machine should be
quiet: the load before and after each part is in the page.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

PARTS = (
    ("Intensities of CT and MR", "standardise_intensity"),
    ("Resampling", "resample"),
    ("Scans that do not fit into memory", "large_scan"),
    ("Scans of several modalities", "alignment"),
    ("Reading DICOM", "dicom_reading"),
    ("From an archive and back", "archive_round_trip"),
)


def part_of_page(title: str, module: str) -> str:
    """The output of one benchmark under its title; raises CalledProcessError where it fails."""
    command = [sys.executable, "-m", f"Testing.Benchmarks.{module}"]
    before, started = os.getloadavg()[0], time.monotonic()
    done = subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE)
    took, after = time.monotonic() - started, os.getloadavg()[0]
    frame = "" if "| --- |" in done.stdout or "|---" in done.stdout else "```"
    told = f"`python -m Testing.Benchmarks.{module}`: {took:.0f} s, load {before:.1f} before, {after:.1f} after."
    return "\n".join((f"## {title}", "", told, "", frame, done.stdout.strip(), frame, ""))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path)
    options = parser.parse_args()
    parts = []
    for title, module in PARTS:
        parts.append(part_of_page(title, module))
        print(parts[-1], flush=True)
    if options.output:
        options.output.write_text("\n".join(parts), encoding="utf-8")


if __name__ == "__main__":
    main()
