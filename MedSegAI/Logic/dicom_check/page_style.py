"""How the page of the compliance check looks, on a screen and on paper."""

CHECK_PAGE_STYLE = """
body { font: 15px/1.45 system-ui, "Noto Sans", "Noto Sans CJK SC", sans-serif; color: #1c2126; background: #fff;
       max-width: 1000px; margin: 2em auto; padding: 0 1.2em; }
h1 { font-size: 1.6em; margin-bottom: .2em; overflow-wrap: anywhere; }
h2 { font-size: 1.2em; margin: 0 0 .2em; overflow-wrap: anywhere; }
h3 { font-size: 1em; margin: 1em 0 .2em; color: #3c4650; }
.faint { color: #59636d; }
.uid { font-size: .85em; overflow-wrap: anywhere; }
section { border: 1px solid #dfe4e8; border-left: 6px solid #9aa5af; border-radius: 4px; margin: 1.2em 0;
          padding: .9em 1.2em; }
section.good { border-left-color: #1e7d3c; }
section.doubtful { border-left-color: #b26a00; }
section.bad { border-left-color: #b00020; }
.verdict { font-weight: 600; margin: .2em 0 .6em; }
.good .verdict { color: #1e7d3c; }
.doubtful .verdict { color: #8f5500; }
.bad .verdict { color: #b00020; }
table { border-collapse: collapse; margin: .3em 0 .6em; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: .35em .6em; text-align: left; border-bottom: 1px solid #e4e8ec; vertical-align: top; }
thead th { border-bottom: 2px solid #b9c2ca; }
td.figure, th.figure { text-align: right; white-space: nowrap; }
td.yes { color: #b00020; font-weight: 600; }
.said { font: .82em/1.4 ui-monospace, "DejaVu Sans Mono", monospace; color: #59636d; overflow-wrap: anywhere; }
summary { cursor: pointer; font-weight: 600; margin-top: .6em; }
nav table td:first-child, nav table th:first-child { white-space: nowrap; }
* { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
@media print {
  body { margin: 0; padding: 0; max-width: none; font-size: 9.5pt; }
  section, tr { break-inside: avoid; }
  thead { display: table-header-group; }
}
"""
"""Style sheet; asks for fonts that are there anyway, and fetches none."""
