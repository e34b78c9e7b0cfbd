"""The private folder of a running app, and what becomes of folders whose app was killed together with its watch."""

from __future__ import annotations

import os
import stat
import time

from MedSegAI.Web.gateway.app_folder import make_app_folder


def old(path):
    os.utime(path, (time.time() - 3600,) * 2)


def test_only_this_user_can_look_into_it_and_it_goes_away(tmp_path):
    folder = make_app_folder(tmp_path)
    case = folder.make_case_folder("a")
    assert stat.S_IMODE(folder.path.stat().st_mode) == stat.S_IMODE(case.stat().st_mode) == 0o700
    (case / "scan.nii").touch()
    folder.remove()
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_app_left_is_removed_and_what_a_running_one_has_is_kept(tmp_path):
    running = make_app_folder(tmp_path)
    abandoned, young, other = tmp_path / "medsegai-app-gone", tmp_path / "medsegai-app-new", tmp_path / "other"
    for folder in (abandoned, young, other):
        folder.mkdir()
        (folder / "scan.nii").touch()
    linked = tmp_path / "medsegai-app-link"
    linked.symlink_to(other)
    for folder in (abandoned, other, running.path):
        old(folder)
    latest = make_app_folder(tmp_path)
    assert set(tmp_path.iterdir()) == {running.path, latest.path, young, other, linked}
    assert (other / "scan.nii").exists()
    for folder in (running, latest):
        folder.remove()
