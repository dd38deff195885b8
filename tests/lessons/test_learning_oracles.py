"""Answers about learning against PyTorch's functions, autograd and optimisers."""

from fractions import Fraction

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from helpers.lesson_oracles import disagreements


def t(values):
    return torch.tensor(values, dtype=torch.float64)


def leaf(values):
    return t(values).requires_grad_()


def number(text):
    return float(Fraction(text))


def gradients(loss, *leaves):
    return torch.stack([one.reshape(()) for one in torch.autograd.grad(loss, leaves)])


def sgd(w, loss, steps, **settings):
    weight = leaf(float(w))
    optimiser = torch.optim.SGD([weight], **settings)
    for _ in range(steps):
        optimiser.zero_grad()
        loss(weight).backward()
        optimiser.step()
    return weight.detach()


def filter_gradient(given, stride=1):
    x, arriving = t(given["x"])[None, None], t(given["arriving"])[None, None]
    kernel = torch.zeros(1, 1, x.shape[-1] - stride * (arriving.shape[-1] - 1), dtype=torch.float64).requires_grad_()
    F.conv1d(x, kernel, stride=stride).backward(arriving)
    return kernel.grad.flatten()


def square_gradient(given):
    kernel = torch.zeros(1, 1, 2, 2, dtype=torch.float64).requires_grad_()
    F.conv2d(t(given["image"])[None, None], kernel).backward(t(given["arriving"])[None, None])
    return kernel.grad


def linear_unit(given):
    w, bias = leaf(float(given["w"])), leaf(float(given["bias"]))
    return gradients((w * given["x"] + bias - given["target"]) ** 2, w, bias)


def through_relu(given):
    w = leaf(float(given["w"]))
    return gradients((given["v"] * torch.relu(w * given["x"]) - given["target"]) ** 2, w)


def equal_weights(given):
    one, two = leaf(float(given["w"])), leaf(float(given["w"]))
    y = given["v"] * torch.relu(one * given["x"]) + given["v"] * torch.relu(two * given["x"])
    return gradients((y - given["target"]) ** 2, one, two)


def zeros(given):
    first, second, bias = torch.zeros(2).requires_grad_(), torch.zeros(()).requires_grad_(), leaf(0.0)
    y = second * torch.relu(first @ torch.tensor(given["x"], dtype=torch.float32)) + bias
    found = torch.autograd.grad((y - given["target"]) ** 2, (first, second, bias))
    return [float(found[0][0]), float(found[1]), float(found[2])]


def norm(given, values, training=False, momentum=0.1, **state):
    layer = nn.BatchNorm1d(1, eps=1e-14, momentum=momentum, dtype=torch.float64)
    with torch.no_grad():
        layer.weight.fill_(number(given.get("gamma", 1)))
        layer.bias.fill_(given.get("beta", 0))
        layer.running_mean.fill_(state.get("mean", 0))
        layer.running_var.fill_(state.get("variance", 1))
        layer.train(training)
        out = layer(t(values)[:, None].double()).flatten()
    return out, layer


def folded(given):
    state = {"mean": given["mean"], "variance": given["deviation"] ** 2}
    one, zero = norm(given, [float(given["weight"] + given["bias"]), float(given["bias"])], **state)[0]
    return [one - zero, zero]


def plateau(given):
    weight = torch.zeros(1, requires_grad=True)
    optimiser = torch.optim.SGD([weight], lr=0.1)
    schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(optimiser, patience=given["patience"], threshold=0, eps=0)
    optimiser.step()
    rates = []
    for loss in given["losses"]:
        schedule.step(loss)
        rates.append(optimiser.param_groups[0]["lr"])
    return sum(a != b for a, b in zip([0.1, *rates], rates, strict=False))


def velocity(given):
    weight = leaf(0.0)
    optimiser = torch.optim.SGD([weight], lr=1.0, momentum=number(given["beta"]))
    for gradient in given["gradients"]:
        weight.grad = t(float(gradient))
        optimiser.step()
    return optimiser.state[weight]["momentum_buffer"]


def dropout(given):
    values, rate = t(given["values"]).double(), number(given["rate"])
    return values * t(given["mask"]) / (1 - rate)


def expected(given, power):
    """The mean of a power of a value behind dropout, by adding up both cases."""
    rate = number(given["rate"])
    return (given["value"] / (1 - rate)) ** power * (1 - rate)


ORACLES = {
    "activations": {
        "values": lambda g: torch.stack([
            F.relu(t(g["x"])), F.leaky_relu(t(g["x"]), g["slope"]), torch.sigmoid(t(g["x"])), torch.tanh(t(g["x"])),
        ]),
        "two_linear_layers": lambda g: t(g["second"]) @ t(g["first"]),
        "xor_network": lambda g: [
            g["scale"] * g["w"] * (a != b) for a, b in ((0, 0), (0, 1), (1, 0), (1, 1))
        ],
        "linear_on_xor": lambda g: sum(
            (g["a"] * a + g["b"] * b + g["bias"] > 0) == bool(a ^ b) for a in (0, 1) for b in (0, 1)
        ),
        "backwards": lambda g: torch.autograd.grad(
            torch.relu(x := leaf([float(one) for one in g["inputs"]])), x, t(g["arriving"]).double()
        )[0],
        "vanishing": lambda g: (0.25 * number(g["weight"])) ** g["layers"],
    },
    "softmax": {
        "probabilities": lambda g: F.softmax(t(g["logits"]), 0),
        "ratio": lambda g: (p := F.softmax(t([g["high"], g["low"], 0.7]), 0))[0] / p[1],
        "shifted": lambda g: F.softmax(t(g["logits"]), 0).max(),
        "temperature": lambda g: F.softmax(t(g["logits"]) / g["temperature"], 0)[0],
        "logarithm": lambda g: F.log_softmax(t(g["logits"]), 0)[g["place"]],
        "sigmoid": lambda g: torch.logit(t(g["probability"])),
    },
    "losses": {
        "cross_entropy": lambda g: F.nll_loss(
            (t(g["chances"]) / sum(g["chances"])).log()[None], torch.tensor([g["place"]])
        ),
        "from_logits": lambda g: F.cross_entropy(t(g["logits"])[None], torch.tensor([g["place"]])),
        "squared": lambda g: F.mse_loss(t(g["predicted"]).double(), t(g["target"]).double()),
        "binary": lambda g: F.binary_cross_entropy_with_logits(t(g["logit"]), t(float(g["label"]))),
        "gradient": lambda g: torch.autograd.grad(
            F.cross_entropy((z := leaf(g["logits"]))[None], torch.tensor([g["place"]])), z
        )[0],
    },
    "gradient-descent": {
        "parabola": lambda g: sgd(g["w"], lambda w: (w - g["centre"]) ** 2, 1, lr=number(g["rate"])),
        "two_weights": lambda g: [
            sgd(w, lambda one, slope=slope: slope * one, 1, lr=number(g["rate"]))
            for w, slope in zip(g["w"], g["gradient"], strict=True)
        ],
        "linear_unit": linear_unit,
        "through_relu": through_relu,
        "several_steps": lambda g: sgd(g["w"], lambda w: w**2, 3, lr=number(g["rate"])),
        "weight_decay": lambda g: sgd(
            g["w"], lambda w: g["gradient"] * w, 1, lr=0.1, weight_decay=number(g["decay"])
        ),
    },
    "shared-weights": {
        "one_weight": lambda g: filter_gradient(g)[g["index"]],
        "all_weights": filter_gradient,
        "square_filter": square_gradient,
        "bias": lambda g: torch.autograd.grad(
            (b := leaf(0.0)) + torch.zeros(3, 3), b, torch.tensor(g["arriving"], dtype=torch.float64)
        )[0],
        "with_stride": lambda g: filter_gradient(g, 2)[g["index"]],
    },
    "learning-rate": {
        "batch_gradient": lambda g: t(g["gradients"]).double().mean(),
        "steps": lambda g: (
            len(torch.utils.data.BatchSampler(range(g["images"]), g["batch"], drop_last=False)) * g["epochs"]
        ),
        "largest_stable": lambda g: 2 / g["curvature"],
        "factor": lambda g: sgd(1.0, lambda w: g["curvature"] / 2 * w**2, 1, lr=number(g["rate"])),
        "plateau": plateau,
    },
    "momentum": {
        "velocity": velocity,
        "position": lambda g: sgd(g["w"], lambda w: w**2, 2, lr=0.1, momentum=number(g["beta"])),
        "terminal": lambda g: 0.01 * g["slope"] / (1 - number(g["beta"])),
        "remaining": lambda g: number(g["beta"]) ** g["count"],
        "ravine": lambda g: sgd(1.0, lambda w: g["flat"] / 2 * w**2, 1, lr=1 / g["steep"]),
    },
    "initialisation": {
        "kaiming": lambda g: nn.init.calculate_gain("relu") / (g["size"] ** 2 * g["depth"]) ** 0.5,
        "xavier": lambda g: 2 / (g["inputs"] + g["outputs"]),
        "growth": lambda g: (g["width"] * number(g["variance"])) ** g["layers"],
        "equal_weights": equal_weights,
        "zeros": zeros,
        "layers_until": lambda g: number(g["gain"]) ** g["layers"],
    },
    "batch-norm": {
        "normalise": lambda g: norm(g, g["batch"], training=True)[0],
        "scaled": lambda g: norm(g, g["batch"], training=True)[0],
        "running": lambda g: norm(g, g["batch"], training=True, mean=g["old"])[1].running_mean,
        "evaluation": lambda g: norm(g, [g["x"]], mean=g["mean"], variance=g["deviation"] ** 2)[0],
        "learned": lambda g: [
            sum(one.numel() for one in nn.BatchNorm2d(g["channels"]).parameters()), g["batch"] * g["side"] ** 2
        ],
        "folded": folded,
    },
    "dropout": {
        "outputs": dropout,
        "scale": lambda g: F.dropout(torch.ones(1000, dtype=torch.float64), number(g["rate"])).max(),
        "in_evaluation": lambda g: F.dropout(t(float(g["value"])), number(g["rate"]), training=False),
        "mean": lambda g: sum(
            w * expected({**g, "value": value}, 1) for w, value in zip(g["weights"], g["values"], strict=True)
        ),
        "all_dropped": lambda g: (1 - number(g["rate"])) ** g["units"],
        "variance": lambda g: expected(g, 2) - expected(g, 1) ** 2,
    },
}  # fmt: skip


@pytest.mark.parametrize("topic", ORACLES)
def test_answers_agree_with_torch(topic):
    assert disagreements(topic, ORACLES[topic], 12) == []


@pytest.mark.slow
@pytest.mark.parametrize("topic", ORACLES)
def test_answers_agree_with_torch_for_a_thousand_seeds(topic):
    assert disagreements(topic, ORACLES[topic], 1000) == []
