"""Files between the browser and a case: what a person reads of them, and where they lie."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("aiohttp", reason="the browser app's packages are not installed")

from MedSegAI.Web.case.file_exchange import FileExchange


def test_an_uploaded_file_is_named_without_the_private_folder():
    files = FileExchange({})
    try:
        uploaded = files.new_folder() / "patient" / "mask.nii.gz"
        assert files.without_folder(f"'{uploaded}' is empty.") == "'patient/mask.nii.gz' is empty."
        assert files.without_folder("'/home/me/scan.nii' is empty.") == "'/home/me/scan.nii' is empty."
    finally:
        files.close()


def test_the_private_folder_goes_away_with_the_case():
    files = FileExchange({})
    folder: Path = files.new_folder()
    files.close()
    assert not folder.exists()
