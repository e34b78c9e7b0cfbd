"""The conditional random field is mean-field inference on all pairs of its window, and starts as the identity."""

from __future__ import annotations

import itertools
import math

import pytest
import torch

from MedSegAI.Logic.errors import ModelError
from MedSegAI.Logic.networks.conditional_random_field import ConditionalRandomField


def a_field(classes: int = 3, channels: int = 1, **arguments: object) -> ConditionalRandomField:
    """A field in float64 whose every parameter matters."""
    field = ConditionalRandomField(classes, channels, **arguments).double()
    draw = torch.Generator().manual_seed(4)
    with torch.no_grad():
        field.weights.copy_(torch.rand(field.weights.shape, generator=draw) + 0.5)
        field.compatibility.add_(torch.randn(field.compatibility.shape, generator=draw), alpha=0.3)
        field.log_contrast.add_(torch.randn(field.log_contrast.shape, generator=draw), alpha=0.3)
    return field


def by_dense_matrices(field: ConditionalRandomField, logits: torch.Tensor, image: torch.Tensor) -> torch.Tensor:
    """Mean field with the kernels of all pairs of voxels written out as two matrices."""
    shape = logits.shape[2:]
    places = torch.tensor(list(itertools.product(*(range(side) for side in shape))), dtype=torch.float64)
    spacing = torch.tensor(field.spacing_mm, dtype=torch.float64)
    apart = places[:, None] - places
    squares = (apart * spacing).square().sum(-1)
    radius = torch.tensor(field.radius)
    heard = (apart.abs() <= radius).all(-1) & (apart != 0).any(-1)
    window = torch.tensor(list(itertools.product(*(range(-r, r + 1) for r in field.radius))), dtype=torch.float64)
    in_window = (window * spacing).square().sum(-1)
    flat = image.flatten(2)
    unlike = (flat[..., None] - flat[:, :, None]).square() / (2 * field.log_contrast.exp()[:, None, None] ** 2)

    def kernel(log_bandwidth: torch.Tensor, exponent: torch.Tensor | float) -> torch.Tensor:
        precision = 1 / (2 * log_bandwidth.exp() ** 2)
        return heard * torch.exp(-squares * precision - exponent) / torch.exp(-in_window * precision).sum()

    smoothness = kernel(field.log_smoothness_mm, 0.0)
    likeness = kernel(field.log_reach_mm, unlike.sum(1))
    refined = logits.flatten(2)
    for _ in range(field.iterations):
        q = torch.softmax(refined, dim=1)
        messages = field.weights[0][:, None] * (q @ smoothness) + field.weights[1][:, None] * (q @ likeness)
        refined = logits.flatten(2) - field.compatibility @ messages
    return refined.view_as(logits)


@pytest.mark.parametrize(
    ("shape", "classes", "channels", "arguments"),
    [
        ((4, 5, 3), 3, 1, {"radius": 1}),
        ((4, 3, 5), 2, 2, {"radius": (1, 2, 2), "iterations": 3, "spacing_mm": (3.0, 1.0, 0.5)}),
        ((3, 4, 4), 4, 1, {"radius": (0, 1, 1), "iterations": 1}),
        ((3, 4, 3), 2, 1, {"radius": 9, "smoothness_mm": 3.0, "reach_mm": 5.0}),
    ],
    ids=str,
)
def test_values_and_gradients_are_those_of_the_dense_field_to_1e_10(shape, classes, channels, arguments):
    # In the last case the window holds the whole volume: the fully connected field.
    field = a_field(classes, channels, **arguments)
    logits = torch.randn(2, classes, *shape, dtype=torch.float64, requires_grad=True)
    image = torch.randn(2, channels, *shape, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(2, classes, *shape, dtype=torch.float64)
    results = []
    for refine in (field, lambda *given: by_dense_matrices(field, *given)):
        output = refine(logits, image)
        assert (output - logits).abs().max() > 0.05
        wanted = (logits, image, *field.parameters())
        results.append([output, *torch.autograd.grad((output * weight).sum(), wanted)])
    for found, expected in zip(*results):
        assert (found - expected).abs().max() < 1e-10


def test_gradients_pass_torchs_numerical_check():
    field = a_field(2, 1, radius=1)
    names = [name for name, _ in field.named_parameters()]
    logits, image = (torch.randn(1, c, 2, 3, 2, dtype=torch.float64, requires_grad=True) for c in (2, 1))

    def refine(given_logits, given_image, *parameters):
        values = dict(zip(names, parameters))
        return torch.func.functional_call(field, values, (given_logits, given_image))

    assert torch.autograd.gradcheck(refine, (logits, image, *field.parameters()))


def test_two_voxels_and_two_classes_computed_by_hand():
    # One iteration, neighbours 1 mm apart of intensities 0 and 1; both kernels' windows are 3 x 3 x 3.
    field = ConditionalRandomField(2, 1, iterations=1, radius=1, smoothness_mm=1.0, reach_mm=2.0, contrast=1.0)
    field = field.double()
    with torch.no_grad():
        field.weights.copy_(torch.tensor([[1.0, 1.0], [2.0, 2.0]]))
    # softmax of (log 3, 0) is (3/4, 1/4); the other voxel has (1/2, 1/2).
    logits = torch.tensor([[math.log(3), 0.0], [0.0, 0.0]], dtype=torch.float64).view(1, 2, 1, 1, 2)
    image = torch.tensor([0.0, 1.0], dtype=torch.float64).view(1, 1, 1, 1, 2)
    smoothness = math.exp(-1 / 2) / (1 + 2 * math.exp(-1 / 2)) ** 3
    likeness = math.exp(-1 / 8 - 1 / 2) / (1 + 2 * math.exp(-1 / 8)) ** 3
    together = 1 * smoothness + 2 * likeness
    # Potts: each label is charged with what the neighbour gives to the other one.
    first = [math.log(3) - together / 2, -together / 2]
    second = [-together / 4, -together * 3 / 4]
    expected = torch.tensor([first, second], dtype=torch.float64)
    assert torch.allclose(field(logits, image)[0, :, 0, 0].T, expected, atol=1e-12)


def test_at_its_start_it_changes_nothing_and_can_learn_from_there():
    field = ConditionalRandomField(3, 2)
    logits, image = torch.randn(2, 3, 6, 8, 4), torch.randn(2, 2, 6, 8, 4)
    output = field(logits, image)
    assert torch.equal(output, logits)
    torch.nn.functional.cross_entropy(output, logits.argmax(1).roll(1, 2)).backward()
    assert field.weights.grad.abs().min() > 0


def test_noise_is_smoothed_away_within_an_edge_of_the_image_and_not_across():
    field = ConditionalRandomField(2, 1, iterations=4)
    with torch.no_grad():
        field.weights.copy_(torch.tensor([[2.0], [10.0]]).expand(2, 2))
    truth = torch.zeros(1, 12, 12, 12)
    truth[..., 6:] = 1
    draw = torch.Generator().manual_seed(1)
    logits = torch.stack([1 - 2 * truth, 2 * truth - 1], dim=1) + 2 * torch.randn(1, 2, 12, 12, 12, generator=draw)
    before = (logits.argmax(1) != truth).float().mean()
    with torch.no_grad():
        after = (field(logits, 4 * truth[:, None]).argmax(1) != truth).float().mean()
    assert before > 0.2
    assert after < 0.02


def test_training_fits_its_parameters_to_a_noisy_segmentation():
    torch.manual_seed(0)
    field = ConditionalRandomField(2, 1, iterations=1, radius=1)
    truth = torch.zeros(1, 8, 8, 8, dtype=torch.int64)
    truth[:, 2:6, 2:6, 2:6] = 1
    image = truth[:, None].float()
    logits = 2 * torch.nn.functional.one_hot(truth, 2).movedim(-1, 1).float() + 1.5 * torch.randn(1, 2, 8, 8, 8)
    optimiser = torch.optim.AdamW(field.parameters(), lr=0.2)
    losses = []
    for _ in range(12):
        optimiser.zero_grad()
        loss = torch.nn.functional.cross_entropy(field(logits, image), truth)
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.7 * losses[0]
    assert field.log_contrast.item() != pytest.approx(math.log(0.5), abs=1e-3)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_refined_in_float32_and_given_back_as_it_came(dtype):
    field = a_field().float()
    logits, image = torch.randn(1, 3, 4, 4, 4).to(dtype), torch.randn(1, 1, 4, 4, 4).to(dtype)
    expected = field(logits.float(), image.float())
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = field(logits, image)
    assert found.dtype == dtype
    assert torch.equal(found, expected.to(dtype))


def test_without_numbers_shapes_and_gradients_are_known():
    field = ConditionalRandomField(3, 1).to("meta")
    logits = torch.empty(1, 3, 8, 8, 8, device="meta", requires_grad=True)
    field(logits, torch.empty(1, 1, 8, 8, 8, device="meta")).sum().backward()
    assert logits.grad.shape == logits.shape
    assert all(parameter.grad is not None for parameter in field.parameters())


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
@pytest.mark.parametrize("way", ["trace", "export"])
def test_a_recorded_field_gives_what_it_gave(way):
    """What goes into other formats are ordinary operations instead of those written for speed."""
    field = a_field(2, iterations=1, radius=(0, 1, 1))
    logits, image = torch.randn(1, 2, 3, 4, 5).double(), torch.randn(1, 1, 3, 4, 5).double()
    recorded = (
        torch.jit.trace(field, (logits, image))
        if way == "trace"
        else torch.export.export(field, (logits, image)).module()
    )
    others = torch.randn_like(logits), torch.randn_like(image)
    assert torch.allclose(recorded(*others), field(*others), atol=1e-12)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"iterations": 0}, "iterations is 0"),
        ({"radius": 0}, "radius is"),
        ({"radius": (1, 1)}, "radius is"),
        ({"spacing_mm": (1.0, 1.0)}, "three positive numbers"),
        ({"contrast": 0.0}, "every bandwidth positive"),
    ],
)
def test_arguments_out_of_range_are_refused_with_a_sentence(arguments, sentence):
    with pytest.raises(ModelError, match=sentence):
        ConditionalRandomField(2, 1, **arguments)
