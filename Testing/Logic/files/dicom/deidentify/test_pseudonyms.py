"""Pseudonyms hold for one key, and their map can be kept."""

from __future__ import annotations

import stat

import pytest
from pydicom.uid import UID

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.files.dicom.deidentify.pseudonyms import Pseudonyms, read_pseudonyms, write_pseudonyms


def test_uids_are_valid_and_those_of_the_standard_stay():
    pseudonyms = Pseudonyms(b"k" * 32)
    new = pseudonyms.uid("1.2.3.4")
    assert UID(new).is_valid
    assert new.startswith("2.25.")
    assert new == Pseudonyms(b"k" * 32).uid("1.2.3.4") != pseudonyms.uid("1.2.3.5")
    assert pseudonyms.uid("1.2.840.10008.5.1.4.1.1.2") == "1.2.840.10008.5.1.4.1.1.2"
    assert pseudonyms.uid("") == ""


def test_without_the_key_trying_originals_leads_nowhere():
    assert Pseudonyms().uid("1.2.3.4") != Pseudonyms().uid("1.2.3.4")
    assert "k" * 8 not in repr(Pseudonyms(b"k" * 32))


def test_the_map_comes_back_and_only_its_owner_may_read_it(tmp_path):
    first = Pseudonyms()
    made = (first.uid("1.2.3.4"), first.patient("|M-4711"), first.days_of("|M-4711"))
    write_pseudonyms(tmp_path / "map.json", first)
    assert stat.S_IMODE((tmp_path / "map.json").stat().st_mode) == 0o600
    again = read_pseudonyms(tmp_path / "map.json")
    assert again.uids == {"1.2.3.4": made[0]}
    assert (again.uid("1.2.3.4"), again.patient("|M-4711"), again.days_of("|M-4711")) == made


def test_another_file_is_refused_and_a_missing_one_means_new_names(tmp_path):
    (tmp_path / "other.json").write_text('{"format": "x"}')
    with pytest.raises(InputError, match="no map of pseudonyms"):
        read_pseudonyms(tmp_path / "other.json")
    assert read_pseudonyms(tmp_path / "none.json").uids == {}
