"""A graph in 8 bits is the same function, nearly; what multiplies most is what was brought into 8 bits."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch

from MedSegAI.Logic.errors import DependencyError
from MedSegAI.Logic.inference.engines.openvino_engine import cpu_properties
from MedSegAI.Logic.inference.engines.openvino_graph import openvino_model
from MedSegAI.Logic.quantise.int8_graph import int8_graph
from Testing.source_tree import REPOSITORY_ROOT

openvino = pytest.importorskip("openvino", reason="OpenVINO is not installed")
SHAPE = (1, 8, 16, 8)


@pytest.fixture(scope="module")
def a_graph():
    """Two convolutions with a norm and an activation between, as in the network."""
    torch.manual_seed(0)
    network = torch.nn.Sequential(
        torch.nn.Conv3d(1, 8, 3, padding=1),
        torch.nn.InstanceNorm3d(8),
        torch.nn.LeakyReLU(0.01),
        torch.nn.Conv3d(8, 3, 1),
    )
    return openvino_model(network.eval(), window=SHAPE[1:], channels=1, batch=1)


@pytest.fixture(scope="module")
def windows() -> list[np.ndarray]:
    return list(np.random.default_rng(0).normal(size=(4, *SHAPE)).astype(np.float32))


def logits(graph, window: np.ndarray) -> np.ndarray:
    return openvino.Core().compile_model(graph, "CPU", cpu_properties())(window[None])[0]


def test_the_convolutions_are_in_8_bits_and_the_logits_nearly_the_same(a_graph, windows, capsys):
    pytest.importorskip("nncf", reason="NNCF is not installed")
    quantised = int8_graph(a_graph, windows)
    kinds = [str(node.get_element_type()) for node in quantised.get_ops() if node.get_type_name() == "Constant"]
    assert sum("8" in kind for kind in kinds) == 2
    as_it_is, in_8_bits = logits(a_graph, windows[0]), logits(quantised, windows[0])
    scale = np.abs(as_it_is).max()
    assert 0 < np.abs(as_it_is - in_8_bits).max() < 0.1 * scale
    assert capsys.readouterr().out == ""


def test_without_nncf_the_line_that_installs_it_is_told():
    """In a process of its own, since what was imported once is there to stay."""
    code = (
        "import sys; sys.modules['nncf'] = None\n"
        "from MedSegAI.Logic.quantise.int8_graph import int8_graph\n"
        "from MedSegAI.Logic.errors import DependencyError\n"
        "try: int8_graph(None, [])\n"
        "except DependencyError as error: assert 'pip install nncf' in error.advice\n"
        "else: raise SystemExit(1)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY_ROOT, check=True)
    assert issubclass(DependencyError, Exception)
