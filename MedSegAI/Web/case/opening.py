"""Scans and cases are opened: the sample, files of this computer, and what the browser sent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from MedSegAI.Logic.files.dicom.found_series import FoundSeries
from MedSegAI.Logic.files.read import read_volume
from MedSegAI.Logic.localise.atlas import icbm152_t1
from MedSegAI.Web.case.uploads import OpenedScan, Upload, read_dicom_folder, read_series, read_upload

if TYPE_CHECKING:
    from MedSegAI.Web.case.app import CaseApp

T = TypeVar("T")


class Opening:
    """What opens scans in a case; files are read in another thread, and the page says so.

    Every method raises MedSegAIError for what cannot be opened, except :meth:`take_upload`, which shows it.

    Args:
        case: The app it belongs to.
    """

    def __init__(self, case: CaseApp) -> None:
        self._case = case

    async def sample(self) -> None:
        """Open the ICBM152 average head."""
        head = await self._reading("ICBM152", icbm152_t1)
        self._take_scan(OpenedScan(replace(head, name="ICBM152 T1")))

    async def path(self, path: Path) -> None:
        """Open a scan, a folder with DICOM series or a scene of this computer."""
        if path.suffix == ".mrb":
            self._take_scene(path)
        elif path.is_dir():
            self._take(await self._reading(path.name, read_dicom_folder, path))
        else:
            self._take_scan(OpenedScan(await self._reading(path.name, read_volume, path)))

    async def series(self, folder: Path, found: Sequence[FoundSeries]) -> None:
        """Open DICOM series that were chosen from those in a folder."""
        self._take_scans([await self._reading(one.description, read_series, folder, one.uid) for one in found])

    async def take_upload(self, folder: Path) -> None:
        """Open what the browser sent."""
        await self._case.attempt_long(lambda: self._read_upload(folder))

    async def _read_upload(self, folder: Path) -> None:
        names = sorted(path.name for path in folder.rglob("*") if path.is_file())
        self._take(await self._reading(names[0] if len(names) == 1 else f"{len(names)} files", read_upload, folder))

    def _take(self, upload: Upload) -> None:
        if upload.scene is not None:
            self._take_scene(upload.scene)
        if upload.series:
            with self._case.server.state:
                self._case.series.ask(upload.folder, upload.series)
        self._take_scans(upload.scans)

    def _take_scans(self, scans: Sequence[OpenedScan]) -> None:
        # Where a model has one input, the last one added takes it, so the first of several comes last.
        for scan in scans if len(self._case.session.inputs) > 1 else reversed(scans):
            self._take_scan(scan)

    def _take_scan(self, scan: OpenedScan) -> None:
        with self._case.views.drawn_once():
            self._case.session.add_scan(scan.volume, source=scan.source)
        self._case.views.fit()

    def _take_scene(self, path: Path) -> None:
        self._case.brush.work_on(None, None)
        with self._case.views.drawn_once():
            self._case.session.open(path)
        self._case.views.fit()

    async def _reading(self, name: str, read: Callable[..., T], *arguments: object) -> T:
        """What a function reads in another thread, while the page says what is read."""
        with self._case.server.state:
            self._case.page.shown.reading = name
        try:
            return await self._case.in_thread(read, *arguments)
        finally:
            with self._case.server.state:
                self._case.page.shown.reading = ""
