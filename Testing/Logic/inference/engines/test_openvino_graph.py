"""The recorded graph gives what the network in torch gives."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from MedSegAI.Logic.networks.swin_unetr import SwinUNETR

openvino = pytest.importorskip("openvino", reason="OpenVINO is not installed")


def test_logits_are_those_of_torch_with_shifted_and_padded_windows():
    from MedSegAI.Logic.inference.engines.openvino_graph import openvino_model

    torch.manual_seed(1)
    network = SwinUNETR(1, 2, feature_size=12, window_size=(3, 7, 4), depths=(2, 1, 1, 1)).eval()
    torch.nn.init.normal_(network.swinViT.layers1[0].blocks[1].attn.relative_position_bias_table)
    window = np.random.default_rng(1).normal(size=(1, 1, 32, 32, 64)).astype(np.float32)
    model = openvino_model(network, window=(32, 32, 64), channels=1, batch=1)
    compiled = openvino.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    with torch.inference_mode():
        expected = network(torch.from_numpy(window)).numpy()
    found = compiled(window)[0]
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() < 2e-3 * np.abs(expected).max()
    assert np.mean(found.argmax(1) == expected.argmax(1)) > 0.999
