"""The sizes of segments as a DICOM structured report (Enhanced SR, PS3.16 TID 1500)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from MedSegAI.Logic.files.dicom.anatomic_region import is_anatomy, side_of
from MedSegAI.Logic.files.dicom.result_object import MAKER, NewObject, concept, highdicom_package, made
from MedSegAI.Logic.files.dicom.segment_statistics import SegmentStatistics
from MedSegAI.Logic.files.dicom.shared_provenance import algorithm_parameters, put_provenance
from MedSegAI.Logic.files.dicom.source_series import SourceSeries
from MedSegAI.Logic.files.dicom.write_dicom_segmentation import UNCODED
from MedSegAI.Logic.labels import Code, Label
from MedSegAI.Logic.provenance import Provenance

_SERIES = 903
_SIGNIFICANT_DIGITS = 6
_PROCEDURE = Code("SCT", "363679005", "Imaging procedure")
_VOLUME, _ML = Code("SCT", "118565006", "Volume"), Code("UCUM", "ml", "milliliter")
_MEAN = Code("SCT", "373098007", "Mean")
_LONG, _SHORT = Code("SCT", "103339001", "Long Axis"), Code("SCT", "103340004", "Short Axis")
_MM = Code("UCUM", "mm", "millimeter")


def report_object(
    statistics: Sequence[SegmentStatistics],
    segmentation: Any,
    source: SourceSeries,
    *,
    provenance: Provenance | None = None,
    creator: str = "",
) -> Any:
    """A report of what was measured, as a data set.

    For each segment there is one group: the segment in the segmentation object, the images it was made from, what it
    is, and where in the body; its volume in mL; the mean of the scan where its unit is known; where it was pointed at,
    its long and short axis in an axial plane; and the model, with the digest of its weights.

    Args:
        statistics: In the order of the segments: the first is segment 1.
        segmentation: The data set of the segmentation object that is referred to.
        source: The series.
        provenance: The run, where a model made the segments.
        creator: The person who made or corrected them, named as an observer beside the software; may be empty.

    Raises:
        DependencyError: if the package highdicom is not installed.
        InputError: if the series lacks something.
    """
    highdicom = highdicom_package()
    new = NewObject(_SERIES, "MedSegAI measurements", creator)
    groups = [
        _group(entry, number, segmentation, source, provenance) for number, entry in enumerate(statistics, start=1)
    ]
    dataset = made(
        "a DICOM report",
        lambda: highdicom.sr.EnhancedSR(
            evidence=[segmentation, *source.images],
            content=highdicom.sr.MeasurementReport(
                observation_context=_observers(new),
                procedure_reported=concept(_PROCEDURE),
                imaging_measurements=groups,
                # highdicom describes only images of one plane each.
                referenced_images=None if source.is_multi_frame else list(source.images),
            ),
            is_complete=True,
            **new.identity(),
            **new.device(),
        ),
        source,
    )
    put_provenance(dataset, provenance)
    return dataset


def _observers(new: NewObject) -> Any:
    sr = highdicom_package().sr
    device = sr.DeviceObserverIdentifyingAttributes(
        uid=highdicom_package().UID(), name=MAKER, manufacturer_name=MAKER, model_name=MAKER
    )
    person = None
    if new.creator_name:
        person = sr.ObserverContext(
            observer_type=sr.CodedConcept("121006", "DCM", "Person"),
            observer_identifying_attributes=sr.PersonObserverIdentifyingAttributes(name=new.creator_name),
        )
    return sr.ObservationContext(
        observer_person_context=person,
        observer_device_context=sr.ObserverContext(
            observer_type=sr.CodedConcept("121007", "DCM", "Device"), observer_identifying_attributes=device
        ),
    )


def _group(
    entry: SegmentStatistics,
    number: int,
    segmentation: Any,
    source: SourceSeries,
    provenance: Provenance | None,
) -> Any:
    sr = highdicom_package().sr
    coded = entry.label.terminology or UNCODED
    described = next(one for one in segmentation.SegmentSequence if one.SegmentNumber == number)
    measured = [sr.Measurement(name=concept(_VOLUME), value=_rounded(entry.volume_ml), unit=concept(_ML))]
    if entry.mean is not None:
        measured.append(
            sr.Measurement(
                name=concept(entry.quantity),
                value=_rounded(entry.mean),
                unit=concept(entry.unit),
                derivation=concept(_MEAN),
            )
        )
    for name, value in ((_LONG, entry.long_mm), (_SHORT, entry.short_mm)):
        if value is not None:
            measured.append(sr.Measurement(name=concept(name), value=_rounded(value), unit=concept(_MM)))
    return sr.VolumetricROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=sr.TrackingIdentifier(uid=described.TrackingUID, identifier=described.TrackingID),
        referenced_segment=sr.ReferencedSegment(
            sop_class_uid=segmentation.SOPClassUID,
            sop_instance_uid=segmentation.SOPInstanceUID,
            segment_number=number,
            source_series=sr.SourceSeriesForSegmentation(source.images[0].SeriesInstanceUID),
        ),
        finding_category=concept(coded.category),
        finding_type=concept(coded.type),
        finding_sites=_sites(entry.label),
        algorithm_id=None if provenance is None else _algorithm(provenance),
        measurements=measured,
    )


def _sites(label: Label) -> list[Any] | None:
    """Anatomy is its own site, with its side."""
    if not is_anatomy(label):
        return None
    side = side_of(label)
    return [
        highdicom_package().sr.FindingSite(
            anatomic_location=concept(label.terminology.type), laterality=None if side is None else concept(side)
        )
    ]


def _algorithm(provenance: Provenance) -> Any:
    return highdicom_package().sr.AlgorithmIdentification(
        name=provenance.model,
        version=provenance.model_version,
        parameters=[f"{key}={value}" for key, value in algorithm_parameters(provenance).items()],
    )


def _rounded(value: float) -> float:
    return float(f"{value:.{_SIGNIFICANT_DIGITS}g}")
