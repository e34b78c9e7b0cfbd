"""The engines there are."""

from __future__ import annotations

import dataclasses

from MedSegAI.CommandLine.case_options import _ENGINES
from MedSegAI.Logic.inference.engines.kinds import engine_kinds
from MedSegAI.Logic.settings import EngineChoice


def test_the_command_line_offers_every_choice():
    assert list(_ENGINES) == [choice.value for choice in EngineChoice]


def test_every_choice_but_auto_and_torch_has_one_kind_at_most():
    choices = [kind.choice for kind in engine_kinds()]
    assert len(set(choices)) == len(choices)
    assert not {EngineChoice.AUTO, EngineChoice.TORCH} & set(choices)


def test_an_installed_engine_has_a_version_and_no_problem(openvino_kind):
    assert openvino_kind.require() == openvino_kind.version
    assert openvino_kind.problem() == ""


def test_what_cannot_be_imported_is_said(openvino_kind):
    broken = dataclasses.replace(openvino_kind, packages=("no_such_package_at_all",))
    assert broken.version is None
    assert broken.problem().startswith("ModuleNotFoundError: ")
