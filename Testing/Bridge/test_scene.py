"""A scene outside Slicer behaves like Slicer's own, and is written and read whole or not at all."""

from __future__ import annotations

import zipfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import slicer

from MedSegAI.Bridge.scene import inside_slicer, load_scene, new_scene, open_scene, save_scene
from MedSegAI.Bridge.table_nodes import rows_to_table_node, table_node_to_rows
from MedSegAI.Bridge.transform_nodes import node_to_transform, transform_to_node
from MedSegAI.Bridge.volume_nodes import node_to_volume, volume_to_node
from MedSegAI.Logic.errors import InputError, StorageError


def test_outside_slicer_a_real_scene_with_slicers_default_nodes_opens(capfd):
    opened = open_scene()
    assert not inside_slicer()
    assert opened.mrml.GetNodeByID("vtkMRMLColorTableNodeGrey") is not None
    assert opened.mrml.CreateNodeByClass("vtkMRMLVolumePropertyNode") is not None
    assert "ERR" not in capfd.readouterr().err


def test_inside_slicer_its_own_scene_is_used(monkeypatch):
    slicers_own = new_scene()
    monkeypatch.setattr(slicer, "app", SimpleNamespace(applicationLogic=lambda: slicers_own.application), raising=False)
    monkeypatch.setattr(slicer, "mrmlScene", slicers_own.mrml, raising=False)
    assert open_scene().mrml is slicers_own.mrml
    assert open_scene().application is slicers_own.application


def test_a_scene_survives_mrb_with_volume_transform_and_table(a_scene, a_small_scan, tmp_path):
    shift = np.eye(4)
    shift[:3, 3] = (1, 2, 3)
    node = volume_to_node(a_small_scan, a_scene)
    node.SetAndObserveTransformNodeID(transform_to_node(shift, a_scene).GetID())
    rows_to_table_node([{"structure": "x", "volume mL": 1.25}], a_scene, name="volumes")

    path = save_scene(a_scene, tmp_path / "case é 1.mrb")
    loaded = load_scene(path).mrml

    volume = node_to_volume(loaded.GetFirstNodeByName("small scan"))
    np.testing.assert_array_equal(volume.array, a_small_scan.array)
    expected = shift @ a_small_scan.grid.index_to_lps
    np.testing.assert_allclose(volume.grid.index_to_lps, expected, atol=1e-5)
    assert volume.modality is a_small_scan.modality
    transform = loaded.GetFirstNodeByClass("vtkMRMLLinearTransformNode")
    np.testing.assert_allclose(node_to_transform(transform), shift, atol=1e-9)
    assert table_node_to_rows(loaded.GetFirstNodeByName("volumes")) == [{"structure": "x", "volume mL": 1.25}]
    assert [entry.name for entry in tmp_path.iterdir()] == ["case é 1.mrb"]


def test_saving_twice_replaces_the_file_and_leaves_the_open_scene_usable(a_scene, a_small_scan, tmp_path):
    path = save_scene(a_scene, tmp_path / "case.mrb")
    volume_to_node(a_small_scan, a_scene)
    save_scene(a_scene, path)
    assert load_scene(path).mrml.GetFirstNodeByName("small scan") is not None
    assert a_scene.GetURL() in ("", None)


def test_loading_into_an_open_scene_replaces_what_it_held(an_open_scene, a_small_scan, tmp_path):
    path = save_scene(an_open_scene.mrml, tmp_path / "empty.mrb")
    volume_to_node(a_small_scan, an_open_scene.mrml)
    assert load_scene(path, into=an_open_scene) is an_open_scene
    assert an_open_scene.mrml.GetFirstNodeByName("small scan") is None


def test_a_folder_that_does_not_exist_is_told_in_a_sentence(a_scene, tmp_path):
    with pytest.raises(StorageError, match="no folder"):
        save_scene(a_scene, tmp_path / "missing" / "case.mrb")


def test_a_scene_that_cannot_be_written_leaves_the_older_file(a_scene, tmp_path):
    path = save_scene(a_scene, tmp_path / "case.mrb")
    before = path.read_bytes()

    class FullDisk:
        """Slicer's writer as it behaves on a full disk: it leaves a piece and says no."""

        def __getattr__(self, name):
            return getattr(a_scene, name)

        def WriteToMRB(self, name):  # noqa: N802
            Path(name).write_bytes(b"PK")
            return False

    with pytest.raises(StorageError, match="could not be written"):
        save_scene(FullDisk(), path)
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["case.mrb"]


def test_another_ending_is_refused_with_a_sentence(a_scene, tmp_path):
    with pytest.raises(InputError, match=r"ending \.mrb"):
        save_scene(a_scene, tmp_path / "case.zip")


def test_what_is_no_scene_is_refused_with_a_sentence(a_scene, tmp_path):
    with pytest.raises(InputError, match="There is no file"):
        load_scene(tmp_path / "none.mrb")

    (tmp_path / "text.mrb").write_text("not a scene")
    with pytest.raises(InputError, match=r"damaged or no \.mrb"):
        load_scene(tmp_path / "text.mrb")

    with zipfile.ZipFile(tmp_path / "other.mrb", "w") as archive:
        archive.writestr("readme.txt", "hello")
    with pytest.raises(InputError, match="holds no MRML scene"):
        load_scene(tmp_path / "other.mrb")

    with zipfile.ZipFile(tmp_path / "broken.mrb", "w") as archive:
        archive.writestr("broken/broken.mrml", "<MRML><Volume")
    with pytest.raises(InputError, match="could not be read as a scene"):
        load_scene(tmp_path / "broken.mrb")


def test_a_broken_scene_leaves_what_was_open(an_open_scene, a_small_scan, tmp_path):
    node = volume_to_node(a_small_scan, an_open_scene.mrml)
    with zipfile.ZipFile(tmp_path / "broken.mrb", "w") as archive:
        archive.writestr("broken/broken.mrml", "<MRML><Volume")
    with pytest.raises(InputError, match="could not be read as a scene"):
        load_scene(tmp_path / "broken.mrb", into=an_open_scene)
    assert an_open_scene.mrml.GetNodeByID(node.GetID()) is node


def test_a_scene_damaged_on_the_way_is_refused_before_anything_loads(a_scene, a_small_scan, tmp_path):
    volume_to_node(a_small_scan, a_scene)
    path = save_scene(a_scene, tmp_path / "case.mrb")
    content = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        data = next(info for info in archive.infolist() if info.filename.endswith(".mrml"))
    content[data.header_offset + 120] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(InputError, match="damaged"):
        load_scene(path)
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match="damaged"):
        load_scene(path)
