"""C5: the whole of `convscope train digits`, from the process's start to its report, against a plain script.

    benchmarks/run c5

The plain script trains the same network on the same number of images for the same number of epochs in the same batches,
with shifts, SGD and one cycle as most people write it, and prints its validation accuracy: no run folder, no report.
`process_seconds` is what counts. `import_torch`, `import_convscope` and `help` are what their names say.
"""

import json
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from protocol import Comparison

COMPARISON = Comparison(
    "whole_process.py",
    dict.fromkeys(["ours", "plain", "import_torch", "import_convscope", "help"], "ours"),
    rounds=5,
)
EPOCHS, BATCH, TRAIN = 11, 64, 1437


def ours() -> None:
    """The command; the cache does not matter, as the digits are not decoded."""
    place = Path(tempfile.mkdtemp(prefix="c5-"))
    command = ["train", "digits", "--out", str(place / "run")]
    subprocess.run([sys.executable, "-m", "convscope", *command], check=True, stdout=subprocess.DEVNULL)
    recipe = tomllib.loads((place / "run" / "recipe.toml").read_text())
    chosen = recipe["train"]["epochs"], recipe["train"]["batch"]
    if chosen != (EPOCHS, BATCH):
        raise SystemExit(f"train digits makes {chosen} epochs and batches now; write them into the plain script too")
    scores = json.loads((place / "run" / "events.jsonl").read_text().splitlines()[-1])
    print(json.dumps({"accuracy": round(scores["validation"]["accuracy"], 4)}))


def plain() -> None:
    """As short as it can be written."""
    import torch
    from sklearn.datasets import load_digits
    from torch import nn

    def block(c_in: int, c_out: int, stride: int) -> nn.Module:
        return Block(c_in, c_out, stride)

    class Block(nn.Module):
        def __init__(self, c_in: int, c_out: int, stride: int) -> None:
            super().__init__()
            self.body = nn.Sequential(
                nn.Conv2d(c_in, c_out, 3, stride, 1, bias=False), nn.BatchNorm2d(c_out), nn.ReLU(),
                nn.Conv2d(c_out, c_out, 3, 1, 1, bias=False), nn.BatchNorm2d(c_out),
            )  # fmt: skip
            plain = stride == 1 and c_in == c_out
            down = nn.Sequential(nn.Conv2d(c_in, c_out, 1, stride, bias=False), nn.BatchNorm2d(c_out))
            self.shortcut = nn.Identity() if plain else down

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.relu(self.body(x) + self.shortcut(x))

    torch.manual_seed(0)
    digits = load_digits()
    x = torch.tensor(digits.images, dtype=torch.float32)[:, None] / 16
    y = torch.tensor(digits.target)
    x = (x - x.mean()) / x.std()
    order = torch.randperm(len(x))
    train, rest = order[:TRAIN], order[TRAIN:]
    layers: list[nn.Module] = [nn.Conv2d(1, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU()]
    c_in = 16
    for number, width in enumerate((16, 32, 64, 128)):
        layers += [block(c_in, width, 1 + (number > 0)), block(width, width, 1)]
        c_in = width
    model = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(128, 10))
    optimiser = torch.optim.SGD(model.parameters(), 0.1, momentum=0.9, nesterov=True, weight_decay=5e-4)
    steps = EPOCHS * (TRAIN // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 0.1, total_steps=steps)
    for _ in range(EPOCHS):
        for rows in train[torch.randperm(TRAIN)].split(BATCH)[: TRAIN // BATCH]:
            moved = torch.roll(x[rows], tuple(torch.randint(-1, 2, (2,)).tolist()), (2, 3))
            loss = nn.functional.cross_entropy(model(moved), y[rows], label_smoothing=0.1)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    model.eval()
    with torch.inference_mode():
        right = (model(x[rest]).argmax(1) == y[rest]).float().mean().item()
    print(json.dumps({"accuracy": round(right, 4)}))


def started(*command: str) -> None:
    """Another process alone."""
    subprocess.run([sys.executable, *command], check=True, stdout=subprocess.DEVNULL)
    print(json.dumps({}))


if __name__ == "__main__":
    match sys.argv[1]:
        case "ours":
            ours()
        case "plain":
            plain()
        case "import_torch":
            started("-c", "import torch")
        case "import_convscope":
            started("-c", "import convscope")
        case "help":
            started("-m", "convscope", "--help")
