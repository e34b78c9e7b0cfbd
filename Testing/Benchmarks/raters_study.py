"""Real raters: what they agree on, STAPLE against majority vote, what the margin changes, and who agrees with a reader
who was left out.

    python -m Testing.Benchmarks.raters_study [--data DIR] [--cases N] [-o FOLDER]

Three sets: lung nodules of 3 or 4 radiologists without and with CT (``lidc_multireader``, ``lidc_nodules_ct``: mostly
the same nodules, so the second is no confirmation of the first), and two brain tumours by five algorithms
(``brats_like``). Reader slots are not the same person from scan to scan, so figures of one slot say nothing about a
person. ``raters_study.md`` and ``.json`` hold all tables, each is a CSV file too, and two pictures are drawn. Takes
about two minutes on one thread. docs/consensus.md says what was found.
"""

from __future__ import annotations

import argparse
import os
from itertools import islice
from pathlib import Path

from Testing.Benchmarks.nodule_pictures import draw_gains, draw_nodules
from Testing.Benchmarks.nodule_tables import nodule_tables
from Testing.Benchmarks.rater_cases import brain_tumours, lidc_masks, lidc_with_ct
from Testing.Benchmarks.study_tables import Table, as_markdown, for_people, write_tables
from Testing.Benchmarks.tumour_tables import tumour_tables

DATA = Path(os.environ.get("MEDSEGAI_DATA") or "../shared/data")
NODULES = {"lidc_multireader": lidc_masks, "lidc_nodules_ct": lidc_with_ct}
TUMOURS = "brats_like"
REMARKS = (
    "Intervals are 95% bootstrap intervals: over nodules in the tables of pairs and readers, over patients with all "
    "their nodules in the other tables of nodules, over blocks of the scan for brain tumours.",
    "A reader slot is another person from scan to scan.",
    "A margin is what STAPLE counts around all votes.",
)


def study(data: Path, folder: Path, *, cases: int | None) -> list[Table]:
    """All tables of the sets that are there; tables and pictures are written into the folder."""
    tables: list[Table] = []
    for name, read in NODULES.items():
        if not (data / name / "index.json").is_file():
            print(f"No {name} at {data}: left out. Set MEDSEGAI_DATA, or name the folder with --data.")
            continue
        folder.mkdir(parents=True, exist_ok=True)
        nodules = list(islice(read(data / name), cases))
        tables += nodule_tables(nodules, name)
        draw_gains(next(table for table in tables if table.name == f"{name}_left_out"), folder / f"{name}_left_out.png")
        if nodules[0].image is not None:
            draw_nodules(nodules, folder / f"{name}.png")
    if any((data / TUMOURS).glob("*/segmentation")):
        tables += tumour_tables(list(brain_tumours(data / TUMOURS)), data / TUMOURS)
    else:
        print(f"No {TUMOURS} at {data}: left out. Set MEDSEGAI_DATA, or name the folder with --data.")
    if tables:
        write_tables(folder, "raters_study", tables, remarks=REMARKS)
    return tables


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA, help="default: %(default)s")
    parser.add_argument("--cases", type=int, help="only the first so many nodules of each set")
    parser.add_argument("-o", "--output", type=Path, default=Path("runs/raters_study"), help="default: %(default)s")
    options = parser.parse_args()
    tables = study(options.data, options.output, cases=options.cases)
    for table in for_people(tables):
        print(f"\n{table.title}\n\n{as_markdown(table.rows)}")
    if tables:
        print(f"\nWritten: {options.output}")


if __name__ == "__main__":
    main()
