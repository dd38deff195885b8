"""The convolutional network of texts (Kim 2014, arXiv:1408.5882): convolutions of several widths, max over time."""

from functools import partial
from typing import Any

import torch
from pydantic import Field
from torch import Tensor, nn

from convscope.errors import ModelError
from convscope.models.heads import network_with_head
from convscope.models.input_spec import InputSpec, Size
from convscope.models.layers import Branches, initialise, named
from convscope.models.network import Network
from convscope.models.options import Options, read_options

PADDING, UNKNOWN = 0, 1
"""Numbers of what is after the end of a text, and of tokens that are not in the vocabulary."""
DEVIATION = 0.1
"""Of the initial embedding."""


class TextOptions(Options):
    """`vocabulary` numbers of tokens have an embedding of `embedding` values; `kernels` are the widths in tokens.

    `filters` are those of each width, `embedding_dropout` the share of the embedding's values set to 0 in training.
    """

    vocabulary: int = Field(2, ge=2)
    embedding: int = Field(128, ge=1)
    embedding_dropout: float = Field(0.5, ge=0, lt=1)
    kernels: tuple[int, ...] = Field((3, 4, 5), min_length=1)
    filters: int = Field(100, ge=1)
    norm: Any = "none"
    head: Any = "max"
    dropout: float = Field(0.5, ge=0, lt=1)


class TokenEmbedding(nn.Module):
    """The vectors of tokens: (B, 1, L) whole numbers, also as floats, to (B, D, L).

    0, the padding, has the vector 0; numbers from `vocabulary` on count as 1, an unknown token.
    """

    def __init__(self, vocabulary: int, size: int) -> None:
        super().__init__()
        self.table = nn.Embedding(vocabulary, size, padding_idx=PADDING)
        nn.init.normal_(self.table.weight, std=DEVIATION)
        with torch.no_grad():
            self.table.weight[PADDING].zero_()

    def forward(self, x: Tensor) -> Tensor:
        numbers = x[:, 0].long()
        known = (numbers >= 0) & (numbers < self.table.num_embeddings)
        vectors: Tensor = self.table(torch.where(known, numbers, UNKNOWN))
        return vectors.transpose(1, 2)


def text_cnn(
    classes: int = 2, *, channels: int = 1, size: Size = None, rank: int = 1, **options: Any
) -> Network:  # fmt: skip
    """Kim's CNN-rand with smaller embeddings: the stem embeds, the one stage has a path per width, the head pools.

    All widths keep the length: the text has vectors of 0 on both sides. 154,758 parameters with a vocabulary of 2.
    Kaiming initialisation for uniform weights.

    Raises:
        ModelError: the input is no text.
    """
    chosen = read_options(TextOptions, "text_cnn", options)
    if (rank, channels) != (1, 1):
        raise ModelError(f"text_cnn: reads texts, of rank 1 and 1 channel, not {rank} and {channels}; choose another")
    input_spec, layer = InputSpec.checked("text_cnn", channels, rank, size), chosen.layers(rank)
    stem = named(
        embed=TokenEmbedding(chosen.vocabulary, chosen.embedding), drop=nn.Dropout(chosen.embedding_dropout)
    )  # fmt: skip
    paths = {
        f"width{width}": layer.conv_norm_act(chosen.embedding, chosen.filters, width)
        for width in dict.fromkeys(chosen.kernels)
    }
    model = network_with_head("text_cnn", input_spec, (stem, [Branches(**paths)]), classes, layer, chosen)
    fill = partial(nn.init.kaiming_uniform_, a=5**0.5)
    initialise(model, fill, fill)
    return model
