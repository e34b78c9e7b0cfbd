"""Every kind of step says its settings and what they are where nothing is said."""

from __future__ import annotations

import json

from MedSegAI.Logic.standardise.catalogue import step_kinds
from MedSegAI.Logic.standardise.pet.suv import Suv
from MedSegAI.Logic.standardise.step_settings import step_settings


def test_defaults_are_those_of_the_step():
    assert step_settings(Suv) == Suv().to_plain() == {"by": "bw", "lean_formula": "janmahasatian"}


def test_all_are_plain_values():
    for kind in step_kinds().values():
        settings = step_settings(kind)
        assert json.loads(json.dumps(settings)) == settings
