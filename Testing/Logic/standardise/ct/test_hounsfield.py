from __future__ import annotations

import numpy as np
import pytest

from MedSegAI.Logic.errors import Cancelled, InputError
from MedSegAI.Logic.files.read import read_volume
from MedSegAI.Logic.reporter import SilentReporter
from MedSegAI.Logic.standardise.ct.hounsfield import Hounsfield, require_hounsfield
from MedSegAI.Logic.volume import Modality, Unit
from Testing.Logic.standardise.phantoms import ct_array, ct_of, head_array, volume_of

SHIFT = Hounsfield(otherwise="shift")


class Impatient(SilentReporter):
    def cancelled(self) -> bool:
        return True


def applied(step, volume):
    return step.apply(volume, reporter=SilentReporter())


def test_a_scan_of_unknown_kind_in_hounsfield_units_becomes_a_ct_with_the_same_voxels():
    volume = volume_of(ct_array())
    done = applied(Hounsfield(), volume)
    assert (done.volume.modality, done.volume.unit) == (Modality.CT, Unit.HOUNSFIELD)
    assert done.volume.array is volume.array
    assert done.record.figures["shift_hu"] == 0
    assert "The values are Hounsfield units: peaks at air -1000" in done.record.sentence


def test_a_shift_is_offered_and_not_made_unless_asked_for():
    with pytest.raises(InputError, match=r"not Hounsfield units: air lies at 24 .*Adding -1024.*otherwise=shift"):
        applied(Hounsfield(), ct_of(ct_array(1024), Unit.ARBITRARY))


@pytest.mark.parametrize("dtype", [np.int16, np.uint16, np.int32, np.float32])
def test_the_shift_gives_hounsfield_units_and_undoing_it_the_stored_values(dtype):
    stored = ct_array(1024, dtype=dtype)
    done = applied(SHIFT, ct_of(stored, Unit.ARBITRARY))
    assert np.array_equal(done.volume.array, stored.astype(np.float64) - 1024)
    assert np.array_equal(done.undo(done.volume.array), stored)
    assert np.issubdtype(done.volume.array.dtype, np.integer) == np.issubdtype(dtype, np.integer)
    assert done.record.sentence.endswith("Shifted by -1024 to Hounsfield units.")


def test_a_shift_at_the_end_of_an_integer_type_does_not_wrap_around():
    stored = ct_array(1024)
    stored[0, 0, 0] = -32768
    stored[1:] += 32000 - 1024
    stored[0] = -32768
    with pytest.raises(InputError):
        applied(SHIFT, ct_of(stored, Unit.ARBITRARY))
    low = ct_array(-31000)
    done = applied(SHIFT, ct_of(low, Unit.ARBITRARY))
    assert np.array_equal(done.undo(done.volume.array), low)


def test_what_cannot_be_told_is_refused():
    with pytest.raises(InputError, match="cannot be told"):
        applied(SHIFT, volume_of(head_array()))


def test_another_word_is_refused():
    with pytest.raises(ValueError, match="'guess'"):
        Hounsfield(otherwise="guess")


def test_it_can_be_cancelled():
    with pytest.raises(Cancelled):
        Hounsfield().apply(ct_of(ct_array()), reporter=Impatient())


def test_other_steps_ask_for_hounsfield_units():
    require_hounsfield(ct_of(ct_array()))
    require_hounsfield(volume_of(ct_array()))
    with pytest.raises(InputError, match="step 'hounsfield'"):
        require_hounsfield(volume_of(ct_array(1024)))


def test_the_real_head_series_becomes_hounsfield_units(data_folder):
    volume = read_volume(data_folder / "dicom" / "slicer_CTHeadAxialDicom")
    with pytest.raises(InputError, match="Adding -1024"):
        applied(Hounsfield(), volume)
    done = applied(SHIFT, volume)
    assert (int(done.volume.array.min()), int(done.volume.array.max())) == (-1024, 2902)
    assert applied(Hounsfield(), done.volume).record.figures["shift_hu"] == 0
