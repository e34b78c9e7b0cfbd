"""The agreement of a case as one page of HTML that needs nothing else: sentences first, then figures."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from html import escape

from MedSegAI.Logic.agreement.bootstrap import Estimate
from MedSegAI.Logic.agreement.drift import Drift
from MedSegAI.Logic.agreement.results import CaseAgreement, LabelAgreement, PairAgreement
from MedSegAI.Logic.agreement.sentences import GOOD_KAPPA, figure, with_interval
from MedSegAI.Logic.agreement.votes import CONSENSUS
from MedSegAI.Logic.report.agreement_method import method_notes
from MedSegAI.Logic.report.agreement_picture import outline_styles
from MedSegAI.Logic.report.agreement_plots import Bar, bars_svg, shade
from MedSegAI.Logic.report.agreement_style import PAGE_STYLE

_PLACES_SHOWN = 20
_KAPPA_COLOUR = "#5b7c99"


def agreement_page(
    agreement: CaseAgreement, *, picture: bytes | None = None, drifts: Sequence[Drift] = (), created: str = ""
) -> str:
    """The page as text: no script, no link, nothing from elsewhere; pictures and plots stand inside it.

    Args:
        agreement: What was measured.
        picture: PNG of the first place of disagreement, with the raters' outlines.
        drifts: How the raters' agreement changed over earlier cases.
        created: When the report was made.
    """
    title = f"Agreement of raters: {agreement.case}"
    body = [f"<h1>{escape(title)}</h1>", *_summary(agreement, created), *_sentences(agreement.sentences)]
    for drift in drifts:
        body.append(f"<p>{escape(drift.sentence)}</p>")
    for label in agreement.labels:
        body += _label_section(label, agreement)
    body += _overall_section(agreement) if len(agreement.labels) > 1 and len(agreement.raters) > 1 else []
    body += _places_section(agreement, picture)
    body += ["<h2>How this was measured</h2>", *(f"<p>{escape(note)}</p>" for note in method_notes(agreement))]
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f"<title>{escape(title)}</title>\n<style>{PAGE_STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(body)
        + "\n</body>\n</html>\n"
    )


def _summary(agreement: CaseAgreement, created: str) -> Iterator[str]:
    raters = ", ".join(agreement.raters)
    compared = "with a consensus" if agreement.has_consensus else "without a consensus"
    made = f" Made {created}." if created else ""
    number = len(agreement.raters)
    yield f'<p class="faint">{number} rater{"s" * (number > 1)} {compared}: {escape(raters)}.{escape(made)}</p>'


def _sentences(sentences: Sequence[str]) -> Iterator[str]:
    yield '<ul class="findings">'
    yield from (f"<li>{escape(sentence)}</li>" for sentence in sentences)
    yield "</ul>"


def _label_section(label: LabelAgreement, agreement: CaseAgreement) -> Iterator[str]:
    yield f"<h2>{escape(label.label.name)}</h2>"
    if label.region.is_empty:
        yield "<p>Nobody marked it.</p>"
        return
    if label.pairs:
        yield "<h3>All raters together</h3>"
        yield bars_svg(
            [
                Bar("Fleiss' kappa", label.fleiss, _KAPPA_COLOUR),
                Bar("Krippendorff's alpha", label.alpha, _KAPPA_COLOUR),
            ],
            title=f"Kappa and alpha for {label.label.name}",
            line_at=GOOD_KAPPA,
        )
    if label.pairs or label.with_consensus:
        yield "<h3>Dice of every pair</h3>"
        yield from _heat_table(label, agreement)
        yield "<h3>Every pair in figures</h3>"
        yield from _pair_table((*label.pairs, *label.with_consensus), agreement.settings.tolerance_mm)
    yield from _rater_part(label, agreement)


def _heat_table(label: LabelAgreement, agreement: CaseAgreement) -> Iterator[str]:
    found = {(pair.first, pair.second): pair.dice.value for pair in label.pairs}
    columns = [*agreement.raters]
    yield '<table class="heat"><thead><tr><td></td>' + _cells("th", [*columns, CONSENSUS][: _width(agreement)])
    yield "</tr></thead><tbody>"
    consensus = {pair.first: pair.dice.value for pair in label.with_consensus}
    for row in columns:
        cells = [None if row == other else found.get((row, other), found.get((other, row))) for other in columns]
        marks = ["" if row == other else figure(value) for other, value in zip(columns, cells)]
        if agreement.has_consensus:
            cells, marks = [*cells, consensus.get(row)], [*marks, figure(consensus.get(row))]
        yield f"<tr><th>{escape(row)}</th>" + "".join(map(_heat_cell, cells, marks)) + "</tr>"
    yield "</tbody></table>"


def _width(agreement: CaseAgreement) -> int:
    return len(agreement.raters) + agreement.has_consensus


def _heat_cell(value: float | None, text: str) -> str:
    background, colour = shade(value)
    return f'<td style="background:{background};color:{colour}">{text}</td>'


def _pair_table(pairs: Sequence[PairAgreement], tolerance_mm: float) -> Iterator[str]:
    heads = ["", "Dice", "HD95 mm", f"Surface Dice at {tolerance_mm:g} mm", "Difference mL", "%", "Cohen's kappa"]
    yield f"<table><thead><tr>{_cells('th', heads)}</tr></thead><tbody>"
    for pair in pairs:
        name = f"{pair.first} and {pair.second}"
        figures = [
            with_interval(pair.dice),
            figure(pair.hd95_mm),
            figure(pair.surface_dice),
            _signed(pair.difference_ml, decimals=2),
            _signed(pair.difference_percent, decimals=0),
            with_interval(pair.kappa),
        ]
        yield f'<tr class="{_warning(pair.kappa)}"><th>{escape(name)}</th>{_cells("td", figures)}</tr>'
    yield "</tbody></table>"


def _rater_part(label: LabelAgreement, agreement: CaseAgreement) -> Iterator[str]:
    yield "<h3>Every rater</h3>"
    estimated = any(rater.estimated_sensitivity is not None for rater in label.raters)
    heads = ["", "Volume mL", *(["Sensitivity", "Specificity"] if agreement.has_consensus else [])]
    heads += ["Sensitivity by the fusion", "Specificity by the fusion"] if estimated else []
    yield f"<table><thead><tr>{_cells('th', heads)}</tr></thead><tbody>"
    for rater in label.raters:
        cells = [figure(rater.volume_ml)]
        if agreement.has_consensus:
            cells += [with_interval(rater.sensitivity), with_interval(rater.specificity, decimals=3)]
        if estimated:
            cells += [figure(rater.estimated_sensitivity), figure(rater.estimated_specificity, decimals=3)]
        yield f"<tr><th>{escape(rater.rater)}</th>{_cells('td', cells)}</tr>"
    yield "</tbody></table>"
    if agreement.has_consensus:
        colours = outline_styles(agreement.raters)
        for called, measure in (("Sensitivity", "sensitivity"), ("Specificity", "specificity")):
            bars = [Bar(r.rater, getattr(r, measure), colours[r.rater][0]) for r in label.raters]
            yield f"<h3>{called} against the consensus</h3>"
            yield bars_svg(bars, title=f"{called} of each rater for {label.label.name}")


def _overall_section(agreement: CaseAgreement) -> Iterator[str]:
    overall = agreement.overall
    yield "<h2>All labels at once</h2>"
    bars = [Bar("Fleiss' kappa", overall.fleiss, _KAPPA_COLOUR)]
    bars += [Bar("Krippendorff's alpha", overall.alpha, _KAPPA_COLOUR)]
    bars += [Bar(f"{pair.first} and {pair.second}", pair.kappa, "#a9bccd") for pair in overall.pairs]
    yield '<p class="faint">Below the first two bars: Cohen\'s kappa of every pair.</p>'
    yield bars_svg(bars, title="Kappa and alpha over all labels at once", line_at=GOOD_KAPPA)


def _places_section(agreement: CaseAgreement, picture: bytes | None) -> Iterator[str]:
    if not agreement.places:
        return
    yield "<h2>Where the raters disagree</h2>"
    if picture is not None:
        encoded = base64.b64encode(picture).decode("ascii")
        yield f'<img alt="Slices through the first place, with outlines" src="data:image/png;base64,{encoded}">'
        yield f'<p class="legend">{_legend(agreement)}</p>'
    heads = _cells("th", ["mL", "Bits", "LPS mm", "Voxel (k, j, i)"])
    yield f'<table><thead><tr><th></th><th class="words">Who says what of most of it</th>{heads}</tr></thead><tbody>'
    for number, place in enumerate(agreement.places[:_PLACES_SHOWN], start=1):
        words = place.sentence(agreement.table).rpartition(" (")[0]
        where = ", ".join(f"{x:.1f}" for x in place.centre_lps)
        cells = [figure(place.volume_ml, decimals=3), figure(place.mean_entropy), where, str(place.centre_kji)]
        yield f'<tr><th>{number}</th><td class="words">{escape(words)}</td>{_cells("td", cells)}</tr>'
    yield "</tbody></table>"
    if len(agreement.places) > _PLACES_SHOWN:
        yield f'<p class="faint">And {len(agreement.places) - _PLACES_SHOWN} more, listed in agreement.json.</p>'


def _legend(agreement: CaseAgreement) -> str:
    swatches = [
        # A style sheet knows no dashes with dots between them.
        f'<span><b style="border-top:4px {style.replace("dashdot", "double")} {colour}"></b>{escape(rater)}</span>'
        for rater, (colour, style) in outline_styles(agreement.raters).items()
    ]
    if agreement.has_consensus:
        swatches.append('<span><b style="border-top:6px solid #ffffff"></b>consensus</span>')
    return " ".join(swatches)


def _cells(tag: str, texts: Sequence[str]) -> str:
    return "".join(f"<{tag}>{escape(text)}</{tag}>" for text in texts)


def _signed(value: float | None, *, decimals: int) -> str:
    if value is None:
        return "-"
    return f"{value:+.{decimals}f}" if round(value, decimals) else f"{0:.{decimals}f}"


def _warning(kappa: Estimate) -> str:
    return "low" if kappa.value is not None and kappa.value < GOOD_KAPPA else ""
