"""Mixup and CutMix mix images and targets with the same weight."""

import torch

from convscope.datasets.augment.mixup import cutmix, mixup


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def marked(batch: int = 6) -> tuple[torch.Tensor, torch.Tensor]:
    """Images that are one number each, and the one-hot targets of the same number."""
    x = torch.arange(batch, dtype=torch.float64).view(-1, 1, 1, 1).expand(batch, 1, 10, 12).contiguous()
    return x, torch.eye(batch, dtype=torch.float64)


def test_mix_up_mixes_targets_as_it_mixes_pixels() -> None:
    x, y = marked()
    for seed in range(20):
        image, target = mixup(x, y, 1.0, seeded(seed))
        assert torch.allclose(target.sum(1), torch.ones(6).double())
        assert torch.allclose(target @ torch.arange(6).double(), image[:, 0, 0, 0])
        assert torch.allclose(image, image[:, :, :1, :1].expand_as(image))


def test_cut_mix_counts_the_pixels_that_were_replaced() -> None:
    x, y = marked()
    shares = []
    for seed in range(40):
        image, target = cutmix(x, y, 1.0, seeded(seed))
        assert torch.allclose(target @ torch.arange(6).double(), image.mean((1, 2, 3)))
        where = (image != x).any(1).any(0)
        rows, columns = where.any(1).nonzero()[:, 0], where.any(0).nonzero()[:, 0]
        if len(rows):
            assert where[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].all(), "one rectangle"
        shares.append(float(where.double().mean()))
    assert min(shares) < 0.1
    assert max(shares) > 0.5


def test_a_small_alpha_mixes_little_and_the_generator_decides() -> None:
    x, y = marked()
    largest = torch.stack([mixup(x, y, 0.1, seeded(seed))[1].amax(1).min() for seed in range(30)])
    assert (largest > 0.95).double().mean() > 0.5
    assert torch.equal(mixup(x, y, 1.0, seeded(3))[0], mixup(x, y, 1.0, seeded(3))[0])


def test_an_unknown_label_stays_unknown() -> None:
    x, y = marked(2)
    y[0, 1] = torch.nan
    assert mixup(x, y, 1.0, seeded())[1][0, 1].isnan()


def test_the_images_given_are_left_as_they_were() -> None:
    x, y = marked()
    before = x.clone()
    cutmix(x, y, 1.0, seeded())
    assert torch.equal(x, before)
