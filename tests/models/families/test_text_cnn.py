"""The convolutional network of texts: Kim's layers, padding, unknown numbers, and what it refuses."""

import pytest
import torch
from torch.nn import functional

from convscope.errors import ModelError
from convscope.models import TOKEN_MODELS
from convscope.models.registry import builder

SMALL = {"vocabulary": 9, "embedding": 4, "filters": 2, "dropout": 0.0, "embedding_dropout": 0.0}


def network(**options: object) -> torch.nn.Module:
    torch.manual_seed(0)
    return builder("text_cnn")(3, **{**SMALL, **options}).eval()


def test_the_logits_are_the_largest_responses_of_each_width() -> None:
    """Kim 2014, equations 2 to 4, by hand: windows over the vectors, ReLU, the largest over time, one layer."""
    model, x = network(), torch.tensor([[[2.0, 5, 3, 8, 0, 0]]])
    vectors = model.stem.embed.table.weight[x[0, 0].long()].T[None]
    state, found = model.state_dict(), []
    for width in (3, 4, 5):
        key = next(name for name in state if f"width{width}.conv" in name and name.endswith("weight"))
        padded = functional.pad(vectors, ((width - 1) // 2, width // 2))
        maps = functional.conv1d(padded, state[key], state[key.replace("weight", "bias")])
        found.append(maps.relu().amax(2))
    logits = functional.linear(torch.cat(found, 1), state["head.fc.weight"], state["head.fc.bias"])
    torch.testing.assert_close(model(x), logits)


def test_padding_has_the_vector_0_and_numbers_beyond_the_vocabulary_are_unknown() -> None:
    model = network()
    vectors = model.stem.embed(torch.tensor([[[0.0, 1, 9, 500]]]))
    assert not vectors[..., 0].any()
    assert torch.equal(vectors[..., 1], vectors[..., 2])
    assert torch.equal(vectors[..., 1], vectors[..., 3])


def test_it_has_the_parameters_of_its_docstring() -> None:
    model = builder("text_cnn")()
    assert sum(one.numel() for one in model.parameters()) == 154_758


def test_images_and_series_of_several_channels_are_refused() -> None:
    with pytest.raises(ModelError) as caught:
        builder("text_cnn")(2, channels=3, rank=2)
    assert str(caught.value) == ("text_cnn: reads texts, of rank 1 and 1 channel, not 2 and 3; choose another")
    assert set(TOKEN_MODELS) == {"text_cnn"}
