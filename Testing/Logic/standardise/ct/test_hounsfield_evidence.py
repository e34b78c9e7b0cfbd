from __future__ import annotations

import numpy as np
import pytest

from MedSegAI.Logic.files.read import read_volume
from MedSegAI.Logic.standardise.ct.hounsfield_evidence import HounsfieldVerdict, hounsfield_evidence
from MedSegAI.Logic.volume import Unit
from Testing.Logic.standardise.phantoms import ct_array, ct_of, head_array, mr_of

YES, SHIFTED, UNKNOWN = HounsfieldVerdict
IN_HU = (
    "invesalius_ct_head/ct_head_hu.nii.gz",
    "totalseg_ct/example_ct.nii.gz",
    "totalseg_ct/pulmonary_cta/ct_cropped.nii.gz",
    "totalseg_ct/aorta_cta/ct_cropped.nii.gz",
    "dicom/dcmqi/segmentations/ct-3slice",
)
NOT_CT = (
    "totalseg_ct/example_mr_sm.nii.gz",
    "mr_heads/chris_t1.nii.gz",
    "mr_heads/MR_Gd.nii.gz",
    "pyradiomics/brain1_image.nrrd",
)


def evidence_of(array, unit=Unit.ARBITRARY):
    return hounsfield_evidence(ct_of(array, unit))


def test_a_body_in_hounsfield_units_is_recognised_by_air_and_soft_tissue():
    evidence = evidence_of(ct_array())
    assert (evidence.verdict, evidence.shift) == (YES, 0)
    assert evidence.air == pytest.approx(-1000, abs=1)
    assert evidence.soft_tissue == pytest.approx(50, abs=1)


@pytest.mark.parametrize("stored", [1024, 1000])
def test_stored_values_that_lost_their_intercept_get_the_usual_shift_back(stored):
    evidence = evidence_of(ct_array(stored, dtype=np.uint16))
    assert (evidence.verdict, evidence.shift) == (SHIFTED, -stored)
    assert f"Adding {-stored} would make them HU" in evidence.sentence


@pytest.mark.parametrize("offset", [600, -2000, 5000])
def test_an_unusual_shift_is_measured_from_the_air(offset):
    evidence = evidence_of(ct_array(offset))
    assert evidence.verdict is SHIFTED
    assert evidence.shift == pytest.approx(-offset, abs=1)


def test_fill_values_far_below_air_do_not_mislead():
    array = ct_array()
    array[:, :10] = -3024
    assert evidence_of(array).verdict is YES
    array = ct_array(1024)
    array[:, :10] = 0
    assert evidence_of(array).shift == -1024


def test_air_cut_off_at_minus_1024_is_air():
    array = ct_array()
    array[array < -900] = -1024
    assert evidence_of(array).verdict is YES


def test_scaled_values_are_not_called_hounsfield_units():
    assert evidence_of(ct_array().astype(np.float32) / 1000).verdict is UNKNOWN
    assert evidence_of((ct_array() * 0.5).astype(np.int16)).verdict is UNKNOWN
    assert evidence_of(np.clip((ct_array() + 1000) / 8, 0, 255).astype(np.uint8)).verdict is UNKNOWN


def test_an_mr_is_not_called_hounsfield_units():
    assert hounsfield_evidence(mr_of(head_array())).verdict is UNKNOWN


def test_a_header_is_believed_where_nothing_can_be_seen_and_not_where_a_shift_is_seen():
    brain_only = np.random.default_rng(0).normal(35, 5, (10, 20, 20)).astype(np.int16)
    assert evidence_of(brain_only).verdict is UNKNOWN
    assert evidence_of(brain_only, Unit.HOUNSFIELD).verdict is YES
    assert evidence_of(ct_array(1024), Unit.HOUNSFIELD).verdict is SHIFTED


@pytest.mark.parametrize("name", IN_HU)
def test_real_ct_in_hounsfield_units_is_recognised_with_the_unit_unknown(data_folder, name):
    volume = read_volume(data_folder / name)
    evidence = evidence_of(volume.array)
    assert evidence.verdict is YES, evidence.sentence
    assert 0 <= evidence.soft_tissue <= 90


@pytest.mark.parametrize("name", NOT_CT)
def test_real_mr_is_not_taken_for_a_ct(data_folder, name):
    evidence = hounsfield_evidence(read_volume(data_folder / name))
    assert evidence.verdict is UNKNOWN, evidence.sentence
    assert "cannot be told" in evidence.sentence


def test_no_real_mr_of_two_hundred_is_taken_for_a_shifted_ct(hippocampus_folder):
    """Their values run to anything between 112 and 1.7 million, and many have two peaks about 1000 apart."""
    files = sorted((hippocampus_folder / "imagesTr").glob("*.nii.gz"))
    assert len(files) > 100
    verdicts = {hounsfield_evidence(read_volume(file)).verdict for file in files[::3]}
    assert verdicts == {UNKNOWN}


def test_most_crops_of_lung_are_recognised_and_none_gets_a_wrong_shift(data_folder):
    with np.load(data_folder / "lidc_cubes_ct" / "lidc_cubes_ct.npz") as cubes:
        verdicts = [evidence_of(hu).verdict for hu in cubes["hu"]]
    assert SHIFTED not in verdicts
    assert verdicts.count(YES) >= 80


def test_slices_stretched_to_bytes_are_not_called_hounsfield_units(data_folder):
    with np.load(data_folder / "lidc_nodules_ct" / "lidc_nodules_ct.npz") as nodules:
        images = nodules["images"][:700]
    assert {evidence_of(images[at : at + 7]).verdict for at in range(0, 700, 70)} == {UNKNOWN}


def test_the_head_series_without_intercept_is_recognised_and_gets_its_shift(data_folder):
    evidence = hounsfield_evidence(read_volume(data_folder / "dicom" / "slicer_CTHeadAxialDicom"))
    assert (evidence.verdict, evidence.shift) == (SHIFTED, -1024)
    assert "air lies at 101 instead of -1000" in evidence.sentence
    assert "minimum 0" in evidence.sentence
