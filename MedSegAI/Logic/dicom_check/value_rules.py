"""Whether the numbers in the voxels mean what a segmentation takes them to mean."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from MedSegAI.Logic.dicom_check.finding import Finding, Weight
from MedSegAI.Logic.dicom_check.under_check import SeriesUnderCheck, of_files
from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.files.dicom.pixels import stored_planes
from MedSegAI.Logic.files.dicom.rescale import padding_of, rescaled, rescaled_type, unit_of
from MedSegAI.Logic.volume import Modality, Unit

_KNOWN = {"CT", "MR", "PT"}
_LOSSY_SYNTAXES = {
    "1.2.840.10008.1.2.4.50",
    "1.2.840.10008.1.2.4.51",
    "1.2.840.10008.1.2.4.81",
    "1.2.840.10008.1.2.4.91",
    "1.2.840.10008.1.2.4.203",
}
# Philips keeps the factors to the scanner's own values here (PS3.6 knows no public place for them).
_PHILIPS_SCALE = (0x2005, "Philips MR Imaging DD 001", 0x0E)
_FOR_SUV = ("PatientWeight", "Units", "DecayCorrection", "RadiopharmaceuticalInformationSequence")


def value_findings(series: SeriesUnderCheck) -> Iterator[Finding]:
    """Modality, Hounsfield units, slopes, padding, lossy compression, and what SUV needs."""
    yield from _modality(series)
    yield from _hounsfield(series)
    yield from _slopes(series)
    yield from _lossy(series)
    if series.modality == "PT":
        yield from _uptake(series)


def _modality(series: SeriesUnderCheck) -> Iterator[Finding]:
    if series.modality not in _KNOWN and series.volume.is_scan:
        yield Finding(
            "modality",
            f"The modality is {series.modality or 'not said'}",
            "CT, MR and PET can be prepared for a model; of another kind of scan nothing is known.",
            "Choose the kind of scan by hand, if you know that a model fits.",
            Weight.WARNING,
        )


def _hounsfield(series: SeriesUnderCheck) -> Iterator[Finding]:
    if series.modality != "CT" or series.volume.stack is None:
        return
    planes = series.volume.stack.planes
    few = [planes[k] for k in sorted({0, len(planes) // 2, len(planes) - 1})]
    try:
        lowest = float(rescaled(stored_planes(few), few, dtype=rescaled_type(planes)).min())
    except InputError:
        return
    if unit_of(planes, lowest, Modality.CT) is not Unit.HOUNSFIELD:
        why = "there is no rescale slope and intercept" if planes[0].rescale is None else "no value lies below zero"
        yield Finding(
            "hounsfield",
            "It is a CT, but not in Hounsfield units",
            f"Air should be about -1000 HU and water 0; here {why}. A model made for CT would see another tissue.",
            "Fetch the original series; or bring it to Hounsfield units first (medsegai standardise).",
            Weight.ERROR,
            hinders=True,
            count=len(series.volume.files),
        )
    padding = padding_of(planes[0])
    if padding is not None:
        yield Finding(
            "padding",
            "Voxels outside the picture are marked",
            f"The scanner fills what lies outside its picture with a value of its own ({padding[0]:g} after rescale).",
            "Nothing: while reading a CT, what is marked so and lies below air becomes air (-1024 HU).",
            Weight.NOTE,
        )


def _slopes(series: SeriesUnderCheck) -> Iterator[Finding]:
    if series.volume.stack is None:
        return
    slopes = {plane.rescale for plane in series.volume.stack.planes}
    if any(rescale is not None and rescale[0] == 0 for rescale in slopes):
        yield Finding(
            "slope-zero",
            "The rescale slope is 0",
            "Every voxel of such a slice would get one and the same value, so there would be no picture.",
            "Fetch the original series, or ask who exported it.",
            Weight.ERROR,
            hinders=True,
            count=len(series.volume.files),
        )
    if len(slopes) > 1 and series.modality != "PT":
        yield Finding(
            "slopes",
            "Slices are scaled differently",
            f"There are {len(slopes)} different pairs of slope and intercept; each slice is rescaled by its own.",
            "Nothing: it is done while reading.",
            Weight.NOTE,
        )
    private = series.where(_has_private_scale)
    if private:
        yield of_files(
            private,
            rule="private-scale",
            title="There is a private scale",
            meaning="The vendor keeps a second scale in private attributes. The public one is used, so values compare "
            "within this series, not between series.",
            advice="Nothing for a segmentation. Do not compare mean values between series.",
            weight=Weight.NOTE,
        )


def _has_private_scale(header: Any) -> bool:
    group, creator, element = _PHILIPS_SCALE
    try:
        return header.private_block(group, creator)[element].value is not None
    except (KeyError, ValueError):
        return False


def _lossy(series: SeriesUnderCheck) -> Iterator[Finding]:
    lossy = series.where(
        lambda header: (
            header.get("LossyImageCompression") == "01"
            or str(header.file_meta.get("TransferSyntaxUID", "")) in _LOSSY_SYNTAXES
        )
    )
    if lossy:
        yield of_files(
            lossy,
            rule="lossy",
            title="It was compressed with loss",
            meaning="Some detail was given up for size. Models are made from scans without loss, and may do worse.",
            advice="Fetch the original from the scanner or the archive, if it still exists.",
        )


def _uptake(series: SeriesUnderCheck) -> Iterator[Finding]:
    missing = [keyword for keyword in _FOR_SUV if "" in series.values(keyword)]
    if missing:
        named = ", ".join(missing)
        yield Finding(
            "suv",
            "SUV cannot be computed from the public attributes",
            f"The header lacks {named}.",
            "Ask for an export that is not stripped of them; until then only the shape of the uptake can be used.",
            Weight.WARNING,
            count=len(series.headers),
        )
