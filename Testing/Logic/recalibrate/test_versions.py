"""Versions stand whatever a draft, a card or a folder holds; see also ``test_assess_and_versions``."""

from __future__ import annotations

import dataclasses
import json
import shutil

import pytest

from MedSegAI.Logic.errors import InputError, ModelError
from MedSegAI.Logic.models.registry import SHIPPED_MODELS, Model, file_sha256, find_model, read_model
from MedSegAI.Logic.recalibrate.draft import Draft, read_draft
from MedSegAI.Logic.recalibrate.versions import adopt, roll_back


def about(draft: Draft, model: Model, **change: object) -> Draft:
    """The draft as if it were about another model."""
    return Draft(draft.folder, draft.content | {"card_sha256": file_sha256(model.folder / "card.json")} | change)


def test_figures_that_were_changed_are_not_read_back(a_draft):
    path = a_draft.folder / "assessment.json"
    content = json.loads(path.read_text())
    content["calibration"]["temperature"] = 1.01
    path.write_text(json.dumps(content))
    with pytest.raises(InputError, match="are not those that the report was written from"):
        read_draft(a_draft.folder)


def test_what_would_be_no_valid_card_is_not_written(sharpened, a_draft):
    before = (sharpened.folder / "card.json").read_bytes()
    wrong = a_draft.content["calibration"] | {"temperature": -3}
    with pytest.raises(ModelError, match="not a valid model card"):
        adopt(about(a_draft, sharpened, calibration=wrong), sharpened, signed_by="R. Reader")
    assert (sharpened.folder / "card.json").read_bytes() == before
    assert not (sharpened.folder / "versions").exists()


@pytest.mark.parametrize("version", ["../../out", "", "/etc", ".hidden", "a/b"])
def test_a_version_that_leads_out_of_the_folder_is_refused(sharpened, a_draft, version):
    card = dataclasses.replace(sharpened.card, version=version or "..")
    (sharpened.folder / "card.json").write_text(card.to_json())
    hostile = read_model(sharpened.folder)
    with pytest.raises(ModelError, match="cannot be the name of a folder"):
        adopt(about(a_draft, hostile), hostile, signed_by="R. Reader")
    back = {"previous": {"version": version, "card_sha256": "0" * 64}}
    with pytest.raises(ModelError, match="cannot be the name of a folder"):
        roll_back(Model(sharpened.folder, dataclasses.replace(sharpened.card, revision=back)))
    assert not (sharpened.folder / "versions").exists()


def test_a_model_of_the_users_own_elsewhere_gets_its_version_where_it_lies(sharpened, a_draft, tmp_path):
    elsewhere = shutil.copytree(sharpened.folder, tmp_path / "elsewhere" / "a-copy")
    new = adopt(a_draft, read_model(elsewhere), signed_by="R. Reader")
    assert new.folder == elsewhere
    assert roll_back(read_model(elsewhere)).card.version == "1"
    assert find_model("too-sure").card.version == "1"


def test_a_version_in_use_is_not_written_over_by_one_made_of_the_shipped_model(sharpened, a_draft):
    shipped = read_model(SHIPPED_MODELS / "hippocampus-mr")
    first = adopt(about(a_draft, shipped), shipped, signed_by="R. Reader")
    before = (first.folder / "card.json").read_bytes()
    with pytest.raises(InputError, match="which is the one in use"):
        adopt(about(a_draft, shipped), shipped, signed_by="R. Reader")
    assert (first.folder / "card.json").read_bytes() == before


def test_what_a_killed_adoption_leaves_is_no_model_and_the_next_one_goes_through(sharpened, a_draft):
    """Everything but the card, which is written last."""
    shipped = read_model(SHIPPED_MODELS / "hippocampus-mr")
    adopt(about(a_draft, shipped), shipped, signed_by="R. Reader")
    own = sharpened.folder.parent / "hippocampus-mr"
    (own / "card.json").unlink()
    (own / "weights.safetensors").write_bytes(b"torn")
    assert find_model("hippocampus-mr").folder == shipped.folder
    again = adopt(about(a_draft, shipped), find_model("hippocampus-mr"), signed_by="R. Reader")
    assert again.card.version == "1.2"
    assert file_sha256(own / "weights.safetensors") == shipped.card.weights_sha256
