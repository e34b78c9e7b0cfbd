"""Small real scans in a folder, the shipped model, and whoever works in this process."""

from __future__ import annotations

import functools
import json
import shutil
from pathlib import Path

import pytest
import SimpleITK as sitk

from MedSegAI.Logic.batch.batch_settings import BatchSettings
from MedSegAI.Logic.batch.find_cases import find_cases
from MedSegAI.Logic.batch.open_workers import this_process
from MedSegAI.Logic.batch.run import BatchRun, run_batch
from MedSegAI.Logic.models.registry import SHIPPED_MODELS
from MedSegAI.Logic.reporter import SilentReporter
from MedSegAI.Logic.volume import Modality

MODEL = SHIPPED_MODELS / "hippocampus-mr"


@pytest.fixture(scope="session")
def small_scans(hippocampus_crops, tmp_path_factory) -> tuple[Path, ...]:
    """Four real crops, cut so that one window of the model covers each."""
    folder = tmp_path_factory.mktemp("small")
    for crop in hippocampus_crops:
        sitk.WriteImage(sitk.ReadImage(str(crop.image))[1:33, :, 1:33], str(folder / crop.image.name))
    return tuple(sorted(folder.iterdir()))


@pytest.fixture
def scans(small_scans, tmp_path) -> Path:
    """A folder with two of them; a test may spoil them."""
    folder = tmp_path / "scans"
    folder.mkdir()
    for scan in small_scans[:2]:
        shutil.copy(scan, folder)
    return folder


@pytest.fixture
def out(tmp_path) -> Path:
    return tmp_path / "out"


def batch(scans: Path, out: Path, *, workers=None, reporter=None, model=MODEL, failures=None, **settings) -> BatchRun:
    """Find the cases in a folder and do them, in this process where no workers are given."""
    reporter = reporter or SilentReporter()
    choices = {} if failures is None else {"failures": failures}
    return run_batch(
        find_cases([scans], modality=Modality.MR, without=out, reporter=reporter),
        out,
        settings=BatchSettings(model, **settings),
        open_workers=workers or functools.partial(this_process, reporter.cancelled),
        reporter=reporter,
        **choices,
    )


def ledger_lines(out: Path, status: str = "done") -> list[str]:
    """The case of every ledger line with this status, in order; a case that was done twice is there twice."""
    lines = [json.loads(line) for line in (out / "ledger.jsonl").read_text().splitlines()]
    return [line["case"]["case"] for line in lines if "case" in line and line["case"]["status"] == status]
