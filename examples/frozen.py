"""Freeze an encoder, train the head, and verify that the encoder did not change, without a run folder.

python examples/frozen.py
"""

import torch
from torch.nn.functional import cross_entropy

from convscope.models import MODELS
from convscope.training import (
    OptimiserSettings,
    PlanSettings,
    State,
    build_plan_optimiser,
    digests,
    freeze,
    make_plan,
    run,
)

model = MODELS["resnet18"](classes=2, width=8)  # with pretrained weights: convscope.models.pretrained
plan = make_plan(model, PlanSettings(replace_fc=1, unfreeze_at=3, unfreeze_parts=1), rate=1e-3)
optimiser = build_plan_optimiser(model, OptimiserSettings(name="adamw", learning_rate=1e-3), plan)
state = State(model, optimiser)
x, y = torch.rand(16, 3, 64, 64), torch.arange(16) % 2

for epoch in range(1, 5):
    freeze(model, plan, epoch)
    before = digests(model, plan, epoch)
    for _ in run(state, lambda _: [(x, y)], cross_entropy, lambda _: 1.0, epoch, lambda _: {}):
        pass
    assert digests(model, plan, epoch) == before
    print(f"epoch {epoch}: {plan.num_trained(epoch):,} parameters trained, {len(before)} frozen tensors are unchanged")
