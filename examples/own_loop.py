"""Use the training loop with any network and any tensors: log in the body of the `for`, stop with `break`.

python examples/own_loop.py
"""

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from convscope.training import Epoch, OptimiserSettings, ScheduleSettings, State, build_optimiser, build_schedule, run

torch.manual_seed(0)
x = torch.randn(512, 2)
y = (x[:, 0] * x[:, 1] > 0).long()  # exclusive or: not linearly separable
model = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 2))
state = State(model, build_optimiser(model, OptimiserSettings(name="adam", learning_rate=0.01)))


def batches(epoch):
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(epoch))
    return ((x[rows], y[rows]) for rows in order.split(64))


def accuracy(network):
    return {"accuracy": float((network(x).argmax(1) == y).float().mean())}


for record in run(state, batches, cross_entropy, build_schedule(ScheduleSettings(), total_steps=30 * 8), 30, accuracy):
    if isinstance(record, Epoch):
        print(record.epoch, record.train, record.validation)
        if record.validation["accuracy"] > 0.99:
            break
