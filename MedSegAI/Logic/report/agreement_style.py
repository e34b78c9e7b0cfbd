"""How the page of agreement looks, on a screen and on paper."""

PAGE_STYLE = """
body { font: 15px/1.45 system-ui, "Noto Sans", "Noto Sans CJK SC", sans-serif; color: #1c2126; background: #fff;
       max-width: 1000px; margin: 2em auto; padding: 0 1.2em; }
h1 { font-size: 1.6em; margin-bottom: .2em; overflow-wrap: anywhere; }
h2 { font-size: 1.25em; margin: 1.8em 0 .4em; border-bottom: 2px solid #dfe4e8; }
h3 { font-size: 1em; margin: 1.2em 0 .3em; color: #3c4650; }
.faint { color: #66717b; }
.findings { font-size: 1.08em; padding-left: 1.2em; }
.findings li { margin: .3em 0; }
table { border-collapse: collapse; margin: .4em 0 1em; font-variant-numeric: tabular-nums; }
th, td { padding: .28em .7em; text-align: right; border-bottom: 1px solid #e4e8ec; }
thead th { border-bottom: 2px solid #b9c2ca; vertical-align: bottom; }
tbody th { text-align: left; font-weight: 600; }
td.words, th.words { text-align: left; }
td:not(.words) { white-space: nowrap; }
tr.low td:last-child { color: #b00020; font-weight: 600; }
table.heat td { text-align: center; min-width: 3.6em; border: 1px solid #fff; }
table.heat th { text-align: left; border: 0; }
table.heat thead th { text-align: center; }
svg { display: block; max-width: 100%; height: auto; }
svg text { font-size: 13px; fill: #1c2126; }
img { max-width: 100%; display: block; }
.legend { background: #111418; color: #f2f2f2; margin: 0 0 1em; padding: .5em .8em; }
.legend span { margin-right: 1.4em; white-space: nowrap; }
.legend b { display: inline-block; width: 2em; margin-right: .5em; vertical-align: middle; }
* { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
@media print {
  body { margin: 0; padding: 0; max-width: none; font-size: 9.5pt; }
  th, td { padding: .22em .45em; }
  h2, h3 { break-after: avoid; }
  tr, svg, img, .legend { break-inside: avoid; }
  thead { display: table-header-group; }
}
"""
"""Style sheet; asks for fonts that are there anyway, and fetches none."""
