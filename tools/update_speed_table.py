"""Put the figures of a benchmark into a document, between its two markers.

    python tools/update_speed_table.py BENCH.json [DOCUMENT]

BENCH.json is what ``medsegai bench -o FOLDER`` wrote; the document is docs/speed.md unless another is named. A run that
was stopped, or quick, is refused. The picture ``bench.png`` beside it goes to ``speed.png`` beside the document.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

REPOSITORY_ROOT = Path(__file__).resolve().parents[1]
DOCUMENT = REPOSITORY_ROOT / "docs" / "speed.md"
BEGIN, END = "<!-- figures of medsegai bench: begin -->", "<!-- figures of medsegai bench: end -->"


def with_figures(document: str, figures: str) -> str:
    """The document with ``figures`` between its markers.

    Raises:
        ValueError: if the document does not have each marker once, in order.
    """
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end or BEGIN in after or END in after:
        raise ValueError(f"The document needs the lines '{BEGIN}' and '{END}' once each.")
    return f"{before}{BEGIN}\n\n{figures}\n\n{END}{after}"


def figures_of(bench: Path) -> str:
    """Where it was measured, the summary, and every measure, as Markdown below a heading of the second level.

    Raises:
        ValueError: if the run was stopped before its end, or quick.
    """
    from MedSegAI.Logic.bench.record_file import read_record
    from MedSegAI.Logic.bench.table import description, section, summary

    record = read_record(bench)
    if not record.complete or record.conditions["quick"]:
        raise ValueError(f"'{bench}' is no whole run: it was stopped, or quick.")
    sections = [section(measure).replace("## ", "### ", 1) for measure in record.measures]
    return "\n\n".join([description(record), summary(record), *sections])


def main(arguments: list[str]) -> int:
    """Write the document anew."""
    if not 1 <= len(arguments) <= 2:
        sys.stderr.write(__doc__ or "")
        return 2
    bench = Path(arguments[0])
    document = Path(arguments[1]) if len(arguments) == 2 else DOCUMENT
    document.write_text(with_figures(document.read_text(encoding="utf-8"), figures_of(bench)), encoding="utf-8")
    picture = bench.with_name("bench.png")
    if picture.is_file():
        shutil.copyfile(picture, document.with_name("speed.png"))
    return 0


if __name__ == "__main__":
    sys.path.insert(0, str(REPOSITORY_ROOT))
    sys.exit(main(sys.argv[1:]))
