"""Model summary: totals, formulas, warnings, paths and the HTML diagram."""

import json
import time
from html.parser import HTMLParser

import pytest
import torch
from torch import Tensor, nn

from convscope.errors import ModelError
from convscope.models import MODELS
from convscope.models.summary.diagram import page
from convscope.models.summary.model_summary import table
from convscope.models.summary.summarize import summarize
from helpers.oracles import torchvision_models


def meta_model(name: str, **options) -> nn.Module:
    with torch.device("meta"):
        return MODELS[name](**options)


def test_parameters_and_multiplications_of_vgg_16_are_those_of_the_paper() -> None:
    summary = summarize(meta_model("vgg16"), (3, 224, 224))
    assert summary.num_parameters == 138_357_544
    assert summary.macs == 15_470_264_320
    assert summary.other_parameters == 0
    assert round(100 * summary.shares()["fully connected"], 1) == 89.4
    assert summary.warnings == (
        "head.fc1: 123,642,856 parameters in fully connected layers; global average pooling (head gap) needs 513,000, "
        "241 times fewer: 138,357,544 -> 15,227,688 in all",
    )


def test_vgg_has_more_parameters_than_alexnet_but_fewer_per_receptive_field() -> None:
    """A 5x5 kernel has more weights than two 3x3 with the same receptive field."""
    vgg, alexnet = summarize(meta_model("vgg16"), (3, 224, 224)), summarize(meta_model("alexnet"), (3, 224, 224))
    assert vgg.num_parameters > 2 * alexnet.num_parameters
    five = next(layer for layer in alexnet.layers if layer.name == "stages.0.conv2.conv")
    assert five.parameters_formula == "(5x5x64 + 1)x192"
    assert 2 * 3 * 3 < 5 * 5


@pytest.mark.parametrize(
    ("name", "billions"),
    [
        ("alexnet", 0.714), ("vgg11", 7.609), ("googlenet", 1.498), ("resnet18", 1.814), ("resnet50", 4.089),
        ("mobilenet_v2", 0.301), ("squeezenet1_0", 0.819), ("squeezenet1_1", 0.349), ("resnet152", 11.514),
    ],
)  # fmt: skip
def test_multiplications_equal_the_published_figures(name, billions) -> None:
    assert summarize(meta_model(name), (3, 224, 224)).macs / 1e9 == pytest.approx(billions, abs=6e-4)


def test_the_sides_of_alexnet_are_those_of_the_paper_and_277_does_not_fit() -> None:
    summary = summarize(meta_model("alexnet_2012"), (3, 227, 227))
    sides = [layer.output_shape[1] for layer in summary.layers if len(layer.output_shape) == 3]
    assert list(dict.fromkeys(sides)) == [55, 27, 13, 6]
    assert not [text for text in summary.warnings if "never read" in text]
    wrong_size = summarize(meta_model("alexnet_2012"), (3, 277, 277))
    assert wrong_size.layers[0].shape_formula == "(277 - 11)/4 + 1 = 67.5 -> 67"
    assert wrong_size.warnings[0] == (
        "stem.conv1.conv: (277 - 11)/4 + 1 = 67.5 -> 67; the last 2 of 277 pixels are never read; "
        "a side of 275 or 279 fits"
    )


def test_a_bottleneck_and_stacked_3x3_are_suggested_with_their_numbers() -> None:
    five = nn.Sequential(nn.Conv2d(480, 48, 5, padding=2))
    assert summarize(five, (480, 14, 14)).warnings == (
        "0: a 1x1 to 16 channels before it: 112,896,000 -> 5,268,480 multiplications",
        "0: two 3x3 have the receptive field of one 5x5: 576,000 -> 228,096 parameters",
    )
    assert summarize(nn.Conv2d(64, 64, 7, padding=3), (64, 28, 28)).warnings[-1] == (
        "Conv2d: three 3x3 have the receptive field of one 7x7: 200,704 -> 110,592 parameters"
    )


def test_inception_4a_reduces_to_16_maps_before_its_5x5() -> None:
    summary = summarize(meta_model("googlenet", large=5), (3, 224, 224))
    by_name = {layer.name: layer for layer in summary.layers}
    reduce = by_name["stages.2.inception_4a.five.reduce.conv"]
    expand = by_name["stages.2.inception_4a.five.conv.conv"]
    assert (reduce.input_shape, reduce.output_shape, expand.output_shape) == ((480, 14, 14), (16, 14, 14), (48, 14, 14))
    assert reduce.macs + expand.macs == 5_268_480


def test_a_receptive_field_too_large_or_too_small_causes_a_warning() -> None:
    summary = summarize(meta_model("resnet18"), (3, 224, 224))
    assert summary.warnings == (
        "stages.3.1.act: the receptive field is 435 pixels and the image 224; the rest is padding, use fewer layers",
    )
    small = summarize(meta_model("resnet18", depths=(1,), stem="small"), (3, 64, 64), objects=40)
    assert small.warnings == (
        "stages.0.0.act: the receptive field is 7 pixels and the objects are 40; add a stage or downscale the images",
    )


def test_the_path_of_a_layer_follows_the_largest_receptive_field() -> None:
    summary = summarize(meta_model("resnet18", depths=(1,), stem="small"), (3, 32, 32))
    names = [layer.name for layer in summary.path("stages.0.0.act")]
    assert names == [
        "stem.conv", "stem.norm", "stem.act", "stages.0.0.body.0.conv", "stages.0.0.body.0.norm", "stages.0.0.body.1",
        "stages.0.0.body.2.conv", "stages.0.0.body.2.norm", "stages.0.0.add", "stages.0.0.act",
    ]  # fmt: skip
    with pytest.raises(ModelError) as caught:
        summary.path("stages.9")
    assert str(caught.value) == "resnet: no layer stages.9; the summary lists the names"


def test_shared_parameters_count_once() -> None:
    conv = nn.Conv2d(4, 4, 3, padding=1)
    summary = summarize(nn.Sequential(conv, nn.ReLU(), conv), (4, 8, 8))
    assert summary.num_parameters == 148 == sum(layer.num_parameters for layer in summary.layers)
    assert [layer.num_parameters for layer in summary.layers] == [148, 0, 0]
    assert summary.macs == 2 * 36 * 4 * 64


class Foreign(nn.Module):
    """A module with functional operations, its own parameter and a plain tensor."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.scale = nn.Parameter(torch.ones(4, 1, 1))
        self.plain = torch.ones(1)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.conv(x)) * self.scale + self.plain
        x = nn.functional.max_pool2d(x, 2)
        return nn.functional.conv2d(x, torch.ones(5, 4, 1, 1)).mean((2, 3))


def test_operations_between_modules_are_summarised() -> None:
    summary = summarize(Foreign(), (3, 10, 10))
    assert [(layer.name, layer.output_shape, layer.macs) for layer in summary.layers] == [
        ("conv", (4, 8, 8), 27 * 4 * 64),
        ("max_pool", (4, 4, 4), 0),
        ("convolution", (5, 4, 4), 4 * 5 * 16),
        ("average", (5,), 0),
    ]
    assert summary.other_parameters == 4
    assert summary.shares() == {"convolution": 112 / 116, "other": 4 / 116}


@pytest.mark.slow
def test_networks_of_torchvision_and_timm_are_summarised() -> None:
    vision = torchvision_models()
    with torch.device("meta"):
        theirs = vision.resnet50()
    assert summarize(theirs, (3, 224, 224)).macs == 4_089_184_256
    timm = pytest.importorskip("timm")
    with torch.device("meta"):
        transformer = timm.create_model("vit_tiny_patch16_224")
    summary = summarize(transformer, (3, 224, 224))
    assert summary.num_parameters == 5_717_416
    assert summary.last_maps().rf_size == (16, 16)


def test_summarising_does_not_change_the_model() -> None:
    model = MODELS["resnet20"](10, width=4).train()
    model.head.eval()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    modes = [module.training for module in model.modules()]
    summarize(model, (3, 32, 32))
    assert [module.training for module in model.modules()] == modes
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())
    assert all(not module._forward_hooks and not module._forward_pre_hooks for module in model.modules())
    assert all(parameter.grad is None for parameter in model.parameters())


@pytest.mark.slow
@pytest.mark.parametrize("name", ["inception_v3", "vgg19_bn", "se_resnet152"])
def test_the_largest_networks_take_less_than_two_seconds(name) -> None:
    model = meta_model(name)
    best = min(timed(model) for _ in range(2))
    assert best < 2


def timed(model: nn.Module) -> float:
    """Return the CPU time of one summary, which does not depend on the load of the machine."""
    start = time.process_time()
    summarize(model, (3, 299, 299))
    return time.process_time() - start


def test_the_table_has_a_row_for_every_layer_and_totals() -> None:
    rows = table(summarize(MODELS["lenet"](), (1, 32, 32)))
    assert rows[0] == (
        "layer",
        "type",
        "output",
        "parameters",
        "macs",
        "memory",
        "receptive field",
        "stride",
    )
    assert rows[1] == ("stem.conv", "Conv2d", "6x28x28", "(5x5x1 + 1)x6 = 156", "117,600", "18 KiB", "5", "1")
    assert rows[-1] == ("total", "", "", "61,706", "416,520", "0.1 MiB", "", "")
    assert len(rows) == 2 + 14


def test_json_has_totals_and_layers() -> None:
    plain = json.loads(json.dumps(summarize(MODELS["lenet"](), (1, 32, 32)).to_json()))
    assert plain["num_parameters"] == 61706
    assert plain["macs"] == 416520
    assert plain["layers"][0]["rf_size"] == [5, 5]
    assert plain["layers"][0]["shape_formula"] == "32 - 5 + 1 = 28"


def test_the_diagram_is_well_formed_and_self_contained() -> None:
    summary = summarize(meta_model("resnet18"), (3, 224, 224))
    html = page(summary)
    opened: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag, attributes) -> None:
            assert not {"src", "href"} & {name for name, _ in attributes}
            if tag not in ("meta", "br", "rect"):
                opened.append(tag)

        def handle_endtag(self, tag) -> None:
            if tag not in ("rect",):
                assert opened.pop() == tag

    Reader().feed(html)
    assert opened == []
    assert html.count('<div class="layer"') == html.count('<div class="card">') > 20
    assert "11,689,512 parameters" in html
    assert "receptive field 435x435, stride 32" in html


@pytest.mark.parametrize(("rank", "shape"), [(1, (3, 64)), (3, (3, 16, 16, 16))])
def test_networks_of_one_and_three_dimensions_are_summarised_and_drawn(rank, shape) -> None:
    summary = summarize(MODELS["resnet18"](4, rank=rank, width=4, depths=(1, 1), stem="small"), shape)
    assert all(len(layer.rf_size) == rank for layer in summary.layers)
    assert page(summary).count('<div class="layer"') > 5


def test_an_unsuitable_image_shape_raises_an_error() -> None:
    with pytest.raises(ModelError) as caught:
        summarize(meta_model("alexnet"), (3, 20, 20))
    assert str(caught.value) == "alexnet: an input of 20x20 is too small; the smallest that works is 63x63"
    with pytest.raises(ModelError) as caught:
        summarize(nn.Conv2d(3, 4, 9), (3, 5, 5))
    assert str(caught.value).startswith("Conv2d: it cannot process an image of 3x5x5 (")
