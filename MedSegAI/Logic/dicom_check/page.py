"""The compliance report as one page of HTML that needs nothing else: verdicts first, then what is behind them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from MedSegAI.Logic.dicom_check.finding import CheckReport, Finding, SeriesReport
from MedSegAI.Logic.dicom_check.page_style import CHECK_PAGE_STYLE
from MedSegAI.Logic.dicom_check.plain_words import RULE
from MedSegAI.Logic.dicom_check.verdict import summary_sentence, verdict_of, verdict_sentence


def check_page(report: CheckReport, *, created: str = "") -> str:
    """The page as text: no script, no link, nothing from elsewhere, and no attribute that tells of the patient.

    Names of folders and files stand in it as they are.

    Args:
        report: What was found.
        created: When the check was made.
    """
    title = f"DICOM check: {report.source}"
    versions = ", ".join(f"{name} {version}" for name, version in report.versions.items())
    made = " ".join(filter(None, (f"Made {created}." if created else "", f"With {versions}." if versions else "")))
    body = [
        f"<h1>{escape(title)}</h1>",
        f"<p>{escape(summary_sentence(report))}</p>",
        f'<p class="faint">{escape(" ".join((*report.notes, made)))}</p>',
        *_overview(report.series),
    ]
    for number, series in enumerate(report.series, start=1):
        body += _section(series, number)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f"<title>{escape(title)}</title>\n<style>{CHECK_PAGE_STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(body)
        + "\n</body>\n</html>\n"
    )


def _overview(series: Sequence[SeriesReport]) -> Iterator[str]:
    if len(series) < 2:
        return
    yield "<nav><table><thead><tr><th>Series</th><th>Kind</th><th>Verdict</th></tr></thead><tbody>"
    for number, one in enumerate(series, start=1):
        yield (
            f'<tr><td><a href="#series-{number}">{escape(_name(one))}</a></td><td>{escape(one.modality or "-")}</td>'
            f"<td>{escape(verdict_sentence(one))}</td></tr>"
        )
    yield "</tbody></table></nav>"


def _section(series: SeriesReport, number: int) -> Iterator[str]:
    own = [finding for finding in series.findings if finding.rule != RULE]
    standard = [finding for finding in series.findings if finding.rule == RULE]
    yield f'<section id="series-{number}" class="{verdict_of(series).value}">'
    yield f"<h2>{escape(_name(series))}</h2>"
    yield f'<p class="verdict">{escape(verdict_sentence(series))}</p>'
    yield f"<p>{escape(_facts(series))}</p>"
    if series.uid:
        yield f'<p class="faint uid">{escape(series.uid)}</p>'
    if own:
        yield "<h3>What a segmentation needs</h3>"
        yield from _own_table(own)
    if standard:
        yield f"<details{' open' if any(f.hinders for f in standard) else ''}>"
        yield f"<summary>What the standard's validator says: {_counted(standard)}</summary>"
        yield from _standard_table(standard)
        yield "</details>"
    yield "</section>"


def _own_table(findings: Sequence[Finding]) -> Iterator[str]:
    yield "<table><thead><tr><th>What</th><th>What it means</th><th>Hinders</th><th>What to do</th></tr></thead><tbody>"
    for finding in findings:
        yield (
            f"<tr><td>{escape(finding.title)}</td><td>{escape(finding.meaning)}{_where(finding)}</td>"
            f"{_hinders(finding)}<td>{escape(finding.advice)}</td></tr>"
        )
    yield "</tbody></table>"


def _standard_table(findings: Sequence[Finding]) -> Iterator[str]:
    yield (
        '<table><thead><tr><th>What</th><th>What it means</th><th>Hinders</th><th class="figure">Files</th></tr>'
        "</thead><tbody>"
    )
    for finding in findings:
        yield (
            f'<tr><td>{escape(finding.title)}<br><span class="faint">{finding.weight.value}</span></td>'
            f'<td>{escape(finding.meaning)}<div class="said">{escape(finding.said)}</div></td>'
            f'{_hinders(finding)}<td class="figure">{finding.count}</td></tr>'
        )
    yield "</tbody></table>"
    yield f'<p class="faint">{escape(findings[0].advice)}</p>'


def _hinders(finding: Finding) -> str:
    return '<td class="yes">yes</td>' if finding.hinders else "<td>no</td>"


def _where(finding: Finding) -> str:
    if not finding.examples:
        return ""
    more = f" and {finding.count - len(finding.examples)} more" if finding.count > len(finding.examples) else ""
    return f' <span class="faint">{escape(", ".join(finding.examples))}{more}</span>'


def _counted(findings: Sequence[Finding]) -> str:
    errors = sum(finding.weight.value == "error" for finding in findings)
    warnings = len(findings) - errors
    return f"{errors} error{'s' * (errors != 1)}, {warnings} warning{'s' * (warnings != 1)}"


def _name(series: SeriesReport) -> str:
    described = series.description or "no description"
    return described if series.number is None else f"{series.number}: {described}"


def _facts(series: SeriesReport) -> str:
    files = "1 file" if series.file_count == 1 else f"{series.file_count} files"
    facts = [f"{series.modality or 'unknown kind'}, {files}"]
    if series.size is not None:
        facts.append(" x ".join(map(str, series.size)) + " voxels")
        facts.append(" x ".join(f"{value:.3g}" for value in series.spacing) + " mm")
    if series.validated:
        facts.append(f"{series.validated} checked against the standard")
    return ", ".join(facts) + "."
