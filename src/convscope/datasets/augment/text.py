"""Augmentation of batches of texts: word dropout.

Iyyer et al., "Deep unordered composition rivals syntactic methods for text classification", ACL 2015 (section 3.2).
"""

from dataclasses import dataclass

import torch
from pydantic import BaseModel, Field
from torch import Tensor

from convscope.datasets.augment.of_inputs import InputAugment
from convscope.datasets.inputs.text_reading import PADDING, UNKNOWN
from convscope.errors import ConfigError, did_you_mean


class TextPolicy(BaseModel, frozen=True, extra="forbid"):
    """The strength of each augmentation of texts; 0 is none."""

    word_dropout: float = Field(0.0, ge=0, lt=1)
    """Share of the tokens that are replaced by an unknown one."""


TEXT_POLICIES: dict[str, TextPolicy] = {
    "none": TextPolicy(),
    "light": TextPolicy(word_dropout=0.1),
    "standard": TextPolicy(word_dropout=0.2),
    "strong": TextPolicy(word_dropout=0.4),
}


@dataclass(frozen=True)
class TextAugment(InputAugment):
    """Augments batches of texts by a policy; the same generator state gives the same result on every device."""

    chosen: TextPolicy

    def augment(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """Augment texts (B, 1, L) of numbers of tokens."""
        dropped = (torch.rand(x.shape, generator=generator) < self.chosen.word_dropout).to(x.device)
        return torch.where(dropped & (x != PADDING), UNKNOWN, x)


def text_augment(policy: str | TextPolicy) -> TextAugment:
    """A function that augments a batch of texts.

    Raises:
        ConfigError: the policy does not exist.
    """
    if isinstance(policy, TextPolicy):
        return TextAugment(policy)
    if policy not in TEXT_POLICIES:
        raise ConfigError(f"augment: no policy {policy}{did_you_mean(policy, TEXT_POLICIES)}")
    return TextAugment(TEXT_POLICIES[policy])
