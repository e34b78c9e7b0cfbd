"""The report of an assessment as one page of HTML that needs nothing else: what was decided, then why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from MedSegAI.Logic.recalibrate.accuracy_drift import LabelDrift
from MedSegAI.Logic.recalibrate.assess import Assessment
from MedSegAI.Logic.recalibrate.case_logits import LEAST_PROBABILITY, NEAR_VOXELS
from MedSegAI.Logic.recalibrate.decide import Verdict
from MedSegAI.Logic.recalibrate.interval import FEWEST_SUBJECTS
from MedSegAI.Logic.recalibrate.reliability import BINS, Reliability
from MedSegAI.Logic.recalibrate.reliability_plot import reliability_svg
from MedSegAI.Logic.report.agreement_style import PAGE_STYLE

_HEADLINES = {
    Verdict.KEEP: "Keep the model as it is.",
    Verdict.RECALIBRATE: "Make a new version with the fitted calibration.",
    Verdict.FINE_TUNE: "Fine-tune the model: its accuracy fell.",
    Verdict.STOP: "Stop using the model on scans like these.",
}


def report_page(assessment: Assessment, *, figures_sha256: str) -> str:
    """The page as text: no script, no link, nothing from elsewhere.

    Args:
        assessment: What was found.
        figures_sha256: Digest of the figures behind it, which the page states.
    """
    card = assessment.model.card
    title = f"Recalibration of {card.name} {card.version}"
    body = [
        f"<h1>{escape(title)}</h1>",
        f'<p class="faint">{len(assessment.measured)} reviewed cases of {assessment.subjects} subjects, '
        f"made {escape(assessment.created)}. "
        "A draft until somebody signs it.</p>",
        f"<p><b>{escape(_HEADLINES[assessment.decision.verdict])}</b></p>",
        *_list(assessment.decision.reasons),
        *_new_version(assessment),
        "<h2>Accuracy</h2>",
        *_accuracy_table(assessment.drifts),
        f"<p>{escape(assessment.over_time.sentence)}</p>",
        "<h2>Calibration</h2>",
        *_calibration(assessment),
        "<h2>Cases</h2>",
        *_case_table(assessment),
        *_method(assessment, figures_sha256),
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f"<title>{escape(title)}</title>\n<style>{PAGE_STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(body)
        + "\n</body>\n</html>\n"
    )


def _list(sentences: Sequence[str]) -> Iterator[str]:
    yield '<ul class="findings">'
    yield from (f"<li>{escape(sentence)}</li>" for sentence in sentences)
    yield "</ul>"


def _new_version(assessment: Assessment) -> Iterator[str]:
    adopted = assessment.adopted
    if adopted is None:
        yield "<p>No new version is proposed.</p>"
        return
    thresholds = ", ".join(f"{key} {value:g}" for key, value in adopted.thresholds.items()) or "0.5 for every label"
    yield (
        f"<p>Proposed: temperature {adopted.temperature:g}; thresholds {escape(thresholds)}. "
        "The weights stay as they are.</p>"
    )


def _accuracy_table(drifts: Sequence[LabelDrift]) -> Iterator[str]:
    heads = ["Label", "Cases", "Dice now (95%)", "On the card", "Change (95%)", "Mann-Whitney p"]
    yield f"<table><thead><tr>{_cells('th', heads)}</tr></thead><tbody>"
    for drift in drifts:
        now = f"{drift.now.value:.3f}"
        if drift.now.low is not None:
            now += f" ({drift.now.low:.3f} to {drift.now.high:.3f})"
        change = "-" if drift.change is None else str(drift.change)
        then = "-" if drift.then is None else f"{drift.then:.3f}"
        p_value = "-" if drift.p_value is None else f"{drift.p_value:.2g}"
        yield f"<tr><th>{escape(drift.key)}</th>{_cells('td', [str(drift.cases), now, then, change, p_value])}</tr>"
    yield "</tbody></table>"


def _calibration(assessment: Assessment) -> Iterator[str]:
    yield reliability_svg(assessment.before, assessment.after)
    heads = ["", "Expected calibration error", "Brier", "Negative log-likelihood"]
    yield f"<table><thead><tr>{_cells('th', heads)}</tr></thead><tbody>"
    fitted = f"with temperature {assessment.fitted.temperature:g} (the same cases)"
    for name, found in (("as the card decides now", assessment.before), (fitted, assessment.after)):
        yield f"<tr><th>{escape(name)}</th>{_cells('td', _figures(found))}</tr>"
    yield "</tbody></table>"
    gains = assessment.gains
    yield (
        f"<p>On cases left out of the fit, five times round: negative log-likelihood lower by {gains.nll}, calibration "
        f"error lower by {gains.ece}, mean Dice with fitted thresholds higher by {gains.dice}.</p>"
    )


def _figures(found: Reliability) -> list[str]:
    return [f"{found.ece:.4f}", f"{found.brier:.4f}", f"{found.nll:.4f}"]


def _case_table(assessment: Assessment) -> Iterator[str]:
    keys = [drift.key for drift in assessment.drifts]
    scores = {one.case: one.dice for one in assessment.measured}
    heads = ["Case", "Reviewed", "Reviewers", *(f"Dice {key}" for key in keys)]
    yield f"<table><thead><tr>{_cells('th', heads)}</tr></thead><tbody>"
    for case in assessment.cases:
        found = scores.get(case.name, {})
        dice = [f"{found[key]:.3f}" if key in found else "-" for key in keys]
        who = escape(", ".join(case.reviewers))
        when = f"{case.time:%Y-%m-%d}"
        yield f'<tr><th>{escape(case.name)}</th><td>{when}</td><td class="words">{who}</td>{_cells("td", dice)}</tr>'
    yield "</tbody></table>"
    yield from (f"<p>Not segmented: {escape(sentence)}</p>" for sentence in assessment.failed)


def _method(assessment: Assessment, figures_sha256: str) -> Iterator[str]:
    rules = assessment.rules
    yield "<h2>How this was measured and decided</h2>"
    yield (
        f"<p>Dice is on each scan's own grid, by the path that every scan takes. Calibration is measured in the "
        f"network's own space over the voxels within {NEAR_VOXELS} voxels of a structure that the reviewers drew, "
        f"and those where a label has probability {LEAST_PROBABILITY:g} or more against the background; elsewhere "
        f"everything is background beyond doubt. Each case counts the same. The calibration error is that of the class "
        f"that won, in {BINS} bins of equal width.</p>"
    )
    yield (
        f"<p>The rule: a label whose mean Dice is surely below {rules.floor:g} stops the model. One whose mean Dice "
        f"fell by more than {rules.fall:g} against the cases of the card, and surely fell, calls for fine-tuning. A "
        f"temperature is adopted if it lowers the calibration error on left-out cases by more than {rules.ece_gain:g} "
        f"and surely lowers it and the negative log-likelihood; thresholds if they raise Dice on left-out cases by "
        f"more than {rules.dice_gain:g} and surely raise it. Surely: the 95% interval over subjects agrees (a "
        f"bootstrap widened for few subjects; none with fewer than {FEWEST_SUBJECTS}).</p>"
    )
    yield (
        "<p>Reviewed cases are corrections of results, so reviewers saw what the model said: agreement with them is "
        "kinder to the model than labels drawn from nothing would be. Cases somebody chose to correct may be the worse "
        "ones: that is the opposite error.</p>"
    )
    card = assessment.model.card
    digests = f"Weights {card.weights_sha256}<br>Card {assessment.card_sha256}<br>Figures {figures_sha256}"
    yield f'<p class="faint">{digests}</p>'


def _cells(tag: str, texts: Sequence[str]) -> str:
    return "".join(f"<{tag}>{escape(text)}</{tag}>" for text in texts)
