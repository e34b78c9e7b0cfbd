from __future__ import annotations

import pytest

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.standardise.catalogue import step_from_text, step_kinds, step_kinds_for
from MedSegAI.Logic.standardise.ct.clip import ClipCt
from MedSegAI.Logic.standardise.ct.offset import HuOffset
from MedSegAI.Logic.standardise.ct.window import WindowCt
from MedSegAI.Logic.standardise.mr.percentile import PercentileRange
from MedSegAI.Logic.volume import Modality


@pytest.mark.parametrize(
    ("text", "step"),
    [
        ("ct-clip", ClipCt()),
        ("ct-clip:low=-1000,high=2000", ClipCt(-1000, 2000)),
        ("window:preset=lung, output=display", WindowCt("lung", output="display")),
        ("window:level=40,width=400", WindowCt("own", 40, 400)),
        ("window:preset=own,level=40", WindowCt("own", 40)),
        ("hu-offset:agree-within=30", HuOffset(agree_within=30)),
        ("percentile:clip=True", PercentileRange(clip=True)),
    ],
)
def test_a_word_with_settings_is_a_step(text, step):
    assert step_from_text(text) == step


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("blur", "no step 'blur'. There are: hounsfield, "),
        ("ct-clip:middle=3", "no setting 'middle'. It has: low, high"),
        ("ct-clip:low", "'low' in 'ct-clip:low' is no setting"),
        ("window:preset=lung,width=400", "'width' does not go with preset 'lung', only with preset=own"),
        ("ct-clip:low=5,high=1", "settings of 'ct-clip' are not usable"),
    ],
)
def test_what_is_no_step_is_refused_with_what_there_is(text, problem):
    with pytest.raises(InputError, match=problem):
        step_from_text(text)


def test_steps_are_offered_for_their_kind_of_scan_and_all_where_it_is_not_known():
    offered = {one: {kind.kind for kind in step_kinds_for(one)} for one in Modality}
    assert {"hounsfield", "window"} <= offered[Modality.CT] and "n4" not in offered[Modality.CT]
    assert {"n4", "nyul"} <= offered[Modality.MR] and "hounsfield" not in offered[Modality.MR]
    assert offered[Modality.UNKNOWN] == set(step_kinds())
