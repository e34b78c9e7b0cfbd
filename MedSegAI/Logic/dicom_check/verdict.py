"""What a compliance report comes to, in one sentence a series."""

from __future__ import annotations

from enum import Enum

from MedSegAI.Logic.dicom_check.finding import CheckReport, SeriesReport, Weight


class Verdict(str, Enum):
    """Whether a series can be segmented."""

    GOOD = "good"
    DOUBTFUL = "doubtful"
    BAD = "bad"
    NO_SCAN = "no-scan"


def verdict_of(series: SeriesReport) -> Verdict:
    """Good where nothing hinders; doubtful where it can be read but must not be trusted as it is."""
    if not series.is_scan and series.uid:
        return Verdict.NO_SCAN
    if not series.usable:
        return Verdict.BAD
    return Verdict.DOUBTFUL if series.hindrances else Verdict.GOOD


def verdict_sentence(series: SeriesReport) -> str:
    """The verdict for a person."""
    verdict = verdict_of(series)
    if verdict is Verdict.NO_SCAN:
        return "There is nothing to segment in it: it is no volume of a scan."
    if verdict is Verdict.BAD:
        return f"It cannot be segmented: {_first(series)}."
    if verdict is Verdict.DOUBTFUL:
        return f"It can be read, but a segmentation must not be trusted as it is: {_first(series)}."
    errors = sum(finding.weight is Weight.ERROR for finding in series.findings)
    if errors == 1:
        return "It can be segmented; one fault against the standard does not hinder."
    if errors:
        return f"It can be segmented; {errors} faults against the standard do not hinder."
    return "It can be segmented."


def summary_sentence(report: CheckReport) -> str:
    """How many series can be segmented."""
    scans = [one for one in report.series if one.is_scan]
    good = sum(verdict_of(one) is Verdict.GOOD for one in scans)
    if not scans:
        sentence = "There is no scan."
    elif len(scans) == 1:
        sentence = f"The scan {'can' if good else 'cannot'} be segmented{'' if good else ' as it is'}."
    else:
        sentence = f"Of {len(scans)} scans {good} can be segmented as {'it is' if good == 1 else 'they are'}."
    others = sum(bool(one.uid) and not one.is_scan for one in report.series)
    if not others:
        return sentence
    return f"{sentence} There {'is 1 series' if others == 1 else f'are {others} series'} without a volume."


def _first(series: SeriesReport) -> str:
    if not series.hindrances:
        return "it holds no volume"
    title = series.hindrances[0].title
    return title[:1].lower() + title[1:]
