"""Which volumes the files of one DICOM series make: copies and stray images left out, time points told apart."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.files.dicom.headers import DicomFile, names
from MedSegAI.Logic.files.dicom.marks import marks_of, split_by_mark
from MedSegAI.Logic.files.dicom.pixels import pixel_digest
from MedSegAI.Logic.files.dicom.planes import NeverAVolumeError, Plane, planes_of
from MedSegAI.Logic.files.dicom.stack import SAME_PLACE_MM, Stack, in_order, stack

_MOST_OF_THEM = 0.75
_SAME_SPACING = 1e-3
_SAME_DIRECTION = 1e-3
PART = "#"


@dataclass(frozen=True, eq=False)
class SeriesVolume:
    """One volume of a series, or why there is none.

    Args:
        uid: Series Instance UID, followed by ``#2`` for the second of several volumes.
        description: Series description; for one of several volumes also what tells it from the others.
        files: Its files, in the order of the planes where there is a stack.
        planes: How many image planes it has.
        stack: The planes in order; None where it cannot be read.
        error: Why it cannot be read.
        notes: What was left out, in sentences.
    """

    uid: str
    description: str
    files: tuple[DicomFile, ...]
    planes: int = 0
    stack: Stack | None = None
    error: InputError | None = None
    notes: tuple[str, ...] = ()

    @property
    def is_scan(self) -> bool:
        """Whether it is a scan, readable or not, rather than a report, a colour picture or a single image."""
        return not isinstance(self.error, NeverAVolumeError)


def volumes_of_series(files: Sequence[DicomFile]) -> tuple[SeriesVolume, ...]:
    """The volumes of one series, at least one entry; never raises for what the files hold."""
    header = files[0].header
    uid = str(header.get("SeriesInstanceUID"))
    description = str(header.get("SeriesDescription") or "")
    name = f"the series '{description}'" if description else f"the series {uid}"
    try:
        _refuse_several_patients(files, name)
        planes, notes = _scan_planes(files)
        groups = split_by_mark(planes, only="stack") or {"": planes}
        parts = [part for mark, group in groups.items() for part in _parts(group, mark, name)]
    except InputError as error:
        return (SeriesVolume(uid, description, tuple(files), _frames(files), error=error),)
    several = len(parts) > 1
    found = []
    for number, part in enumerate(parts, start=1):
        found.append(
            _volume(
                part,
                uid=f"{uid}{PART}{number}" if several else uid,
                description=f"{description or 'no description'} ({part.mark})" if part.mark else description,
                name=name,
                notes=notes,
            )
        )
    return tuple(found)


@dataclass(frozen=True, eq=False)
class _Part:
    mark: str
    planes: list[Plane]
    notes: tuple[str, ...]
    error: InputError | None = None


def _volume(part: _Part, *, uid: str, description: str, name: str, notes: tuple[str, ...]) -> SeriesVolume:
    files = tuple(dict.fromkeys(plane.file for plane in part.planes))
    notes = (*notes, *part.notes)
    try:
        if part.error is not None:
            raise part.error
        arranged = stack(part.planes, name=name)
    except InputError as error:
        if len(part.planes) < 2:
            error = NeverAVolumeError(error.problem, advice=error.advice)
        return SeriesVolume(uid, description, files, len(part.planes), error=error, notes=notes)
    files = tuple(dict.fromkeys(plane.file for plane in arranged.planes))
    return SeriesVolume(uid, description, files, len(part.planes), stack=arranged, notes=(*notes, *arranged.notes))


def _refuse_several_patients(files: Sequence[DicomFile], name: str) -> None:
    count = len({str(file.header.get("PatientID") or "") for file in files} - {""})
    if count > 1:
        raise InputError(
            f"The files of {name} name {count} different patients: images may have been mixed up.",
            advice="Do not use it before somebody has looked at where it comes from.",
        )


def _frames(files: Sequence[DicomFile]) -> int:
    return sum(int(file.header.get("NumberOfFrames") or 1) for file in files if file.pixels_at >= 0)


def _scan_planes(files: Sequence[DicomFile]) -> tuple[list[Plane], tuple[str, ...]]:
    """The planes of all files that are slices; what is none beside them (a report page, a colour key) is noted."""
    planes: list[Plane] = []
    left_out: list[DicomFile] = []
    fault: NeverAVolumeError | None = None
    for file in files:
        try:
            planes += planes_of(file)
        except NeverAVolumeError as error:
            left_out.append(file)
            fault = fault or error
    if not planes:
        raise fault or NeverAVolumeError("There is no image.", advice="Choose the series of a scan.")
    if not left_out:
        return planes, ()
    if len(left_out) > (1 - _MOST_OF_THEM) * len(files):
        raise fault
    return planes, (f"{_images(left_out)} left out: no slices of the scan.",)


def _images(files: Sequence[DicomFile]) -> str:
    paths = [file.path for file in files]
    return f"{names(paths)} {'was' if len(paths) == 1 else 'were'}"


def _parts(planes: list[Plane], mark: str, name: str) -> list[_Part]:
    """The planes without copies and stray images, split where several volumes lie at one place."""
    try:
        planes, stray = _of_one_kind(planes, name)
    except InputError as error:
        return [_Part(mark, planes, (), error)]
    planes, copies = _without_copies(planes)
    notes = (*stray, *copies)
    at_one_place = _first_pair_at_one_place(planes)
    if at_one_place is None:
        return [_Part(mark, planes, notes)]
    split = split_by_mark(planes)
    if split is not None:
        return [_Part(", ".join(filter(None, (mark, other))), group, notes) for other, group in split.items()]
    labels = [plane.label for plane in at_one_place]
    if labels[0] == labels[1]:
        labels = [f"'{plane.file.path}'" for plane in at_one_place]
    error = InputError(
        f"{name[:1].upper()}{name[1:]} has several images at one place ({labels[0]} and {labels[1]}), and nothing "
        "in their headers sorts them into complete volumes.",
        advice="Give a folder that holds one volume only.",
    )
    return [_Part(mark, planes, notes, error)]


def _of_one_kind(planes: list[Plane], name: str) -> tuple[list[Plane], tuple[str, ...]]:
    """The planes of the usual size and direction, where the others are few, as a scout image among the slices is."""
    groups = _kinds(planes)
    if len(groups) == 1:
        return planes, ()
    main = max(groups, key=len)
    others = [plane for group in groups if group is not main for plane in group]
    same_size = all(plane.size == main[0].size for plane in others)
    if len(main) < _MOST_OF_THEM * len(planes):
        what = "image directions" if same_size and _turned(main[0], others[0]) else "images of different sizes"
        counts = " + ".join(str(len(group)) for group in sorted(groups, key=len, reverse=True))
        raise InputError(
            f"{name[:1].upper()}{name[1:]} mixes {what} ({counts} images, such as {main[0].label} and "
            f"{others[0].label}), as a localiser does.",
            advice="Choose a series whose slices are parallel and of one size.",
        )
    files = list(dict.fromkeys(plane.file for plane in others))
    why = "in another direction" if same_size and _turned(main[0], others[0]) else "of another size"
    return main, (f"{_images(files)} left out: {why} than the other {len(main)} images, as a scout image is.",)


def _kinds(planes: list[Plane]) -> list[list[Plane]]:
    groups: list[list[Plane]] = []
    for plane in planes:
        for group in groups:
            first = group[0]
            if (
                plane.size == first.size
                and np.allclose(plane.pixel_mm, first.pixel_mm, rtol=_SAME_SPACING)
                and not _turned(first, plane)
            ):
                group.append(plane)
                break
        else:
            groups.append([plane])
    return groups


def _turned(one: Plane, other: Plane) -> bool:
    return bool(np.abs(one.axes - other.axes).max() > _SAME_DIRECTION)


def _without_copies(planes: list[Plane]) -> tuple[list[Plane], tuple[str, ...]]:
    """One plane of those that lie at one place and hold the very same picture."""
    ordered, along = in_order(planes)
    near: dict[int, list[Plane]] = defaultdict(list)
    group = 0
    for at, plane in enumerate(ordered):
        if at and along[at] - along[at - 1] >= SAME_PLACE_MM:
            group += 1
        near[group].append(plane)
    kept: list[Plane] = []
    dropped: list[Plane] = []
    for together in near.values():
        seen: set[tuple] = set()
        for plane in together:
            keys = () if len(together) == 1 else _identities(plane)
            (dropped if seen.intersection(keys) else kept).append(plane)
            seen.update(keys)
    if not dropped:
        return planes, ()
    what = "1 image is there twice" if len(dropped) == 1 else f"{len(dropped)} images are there twice"
    return kept, (f"{what} (such as {dropped[0].label}); one of each was used.",)


def _identities(plane: Plane) -> tuple[tuple, tuple]:
    """Two planes are copies where one of these is the same: picture, place, and either the UID or all the marks."""
    picture = (pixel_digest(plane), plane.rescale, *np.round(plane.position, 2))
    uid = (str(plane.file.header.get("SOPInstanceUID")), plane.frame)
    return (*picture, uid), (*picture, marks_of(plane))


def _first_pair_at_one_place(planes: list[Plane]) -> tuple[Plane, Plane] | None:
    ordered, along = in_order(planes)
    close = np.flatnonzero(np.diff(along) < SAME_PLACE_MM)
    return (ordered[close[0]], ordered[close[0] + 1]) if close.size else None
