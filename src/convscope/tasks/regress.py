"""Regression of one or several numbers per image, standardised for the network."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from convscope.predictions import NumberAnswers, NumbersPrediction, ViewTransform
from convscope.tasks.meter import Arrays, GatheringMeter
from convscope.tasks.sections import Pictures, Scatter, Section, Shown, Table
from convscope.tasks.shown_answer import ImageErrors, ShownAnswer, ShownNumber
from convscope.tasks.task import Task, TaskContext, TaskOptions

SHOWN_IMAGES = 12
MISTAKE = 0.5  # standard deviations of the targets


class RegressOptions(TaskOptions):
    """`mse` predicts the mean; `huber`, squared up to one standard deviation and then linear, is robust to outliers."""

    kind: Literal["mse", "huber"] = "mse"


@dataclass(frozen=True)
class Regress(NumberAnswers, Task):
    """Predict D numbers; targets are (B, D) float32 in the units of the data.

    Args:
        mean: D means of the training targets: the network predicts (target - mean) / std.
        std: D standard deviations.
        kind: the loss.
    """

    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    kind: Literal["mse", "huber"] = "mse"

    name: ClassVar[str] = "regress"
    purpose: ClassVar[str] = "{count} number(s) for each image"
    target_kind: ClassVar[str] = "numbers"
    primary: ClassVar[str] = "r2"
    shown: ClassVar[tuple[str, ...]] = ("r2", "mae")
    score_names: ClassVar[Mapping[str, str]] = {"r2": "R²", "mae": "mean absolute error"}
    options: ClassVar[type[TaskOptions]] = RegressOptions
    default_settings: ClassVar[Mapping[str, Any]] = {
        "optimiser.name": "adamw",
        "optimiser.learning_rate": 0.003,
        "optimiser.weight_decay": 0.01,
    }

    @classmethod
    def from_data(cls, context: TaskContext, options: Mapping[str, Any]) -> Self:
        """The task with mean and deviation of the training targets; a constant number gets the deviation 1."""
        std = context.targets.std(0, dtype=np.float64)
        mean = context.targets.mean(0, dtype=np.float64)
        return cls(context.classes, tuple(mean.tolist()), tuple(np.where(std > 0, std, 1.0).tolist()), **options)

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        """Mean squared error or Huber loss of the standardised numbers."""
        expected = (target - target.new_tensor(self.mean)) / target.new_tensor(self.std)
        return F.mse_loss(output, expected) if self.kind == "mse" else F.huber_loss(output, expected)

    def decode(self, output: Tensor) -> Tensor:
        """(N, D) in the units of the data."""
        output = output.float()
        return output * output.new_tensor(self.std) + output.new_tensor(self.mean)

    def meter(self, arrays: Arrays | None = None) -> GatheringMeter:
        """A meter of all outputs and targets."""
        return GatheringMeter(self.scores, arrays)

    def scores(self, output: Tensor, target: Tensor) -> dict[str, float]:
        """Loss, R2 and mean absolute error, the last two averaged over the numbers.

        R2 is 1 - (squared errors) / (squared distances from the mean of these targets): 1 is perfect, 0 as good as
        predicting the mean.
        """
        rows = self.table(output, target)
        return {
            "loss": float(self.loss(output.float(), target)),
            "r2": float(np.mean([row[1] for row in rows])),
            "mae": float(np.mean([row[2] for row in rows])),
        }

    def table(self, output: Tensor, target: Tensor) -> list[tuple[str, float, float, float]]:
        """Name, R2, mean absolute error and root mean squared error of each number."""
        error = (self.decode(output) - target).double()
        variation = (target - target.mean(0)).double().square().sum(0)
        r2 = 1 - error.square().sum(0) / variation.clamp(min=1e-12)
        columns = r2.tolist(), error.abs().mean(0).tolist(), error.square().mean(0).sqrt().tolist()
        return list(zip(self.classes, *columns, strict=True))

    def sections(self, meter: GatheringMeter) -> list[Section]:
        """Scores per number, predictions and residuals against targets, and the images with the largest error."""
        predicted, truth = self.decode(meter.output).double().numpy(), meter.target.double().numpy()
        sections: list[Section] = [
            Table(
                "Scores per number",
                "R2 is 1 for perfect predictions and 0 if they are as good as the mean.",
                ("number", "R2", "mean absolute error", "root mean squared error"),
                self.table(meter.output, meter.target),
            )
        ]
        for k, name in enumerate(self.classes):
            x, y, axis = truth[:, k], predicted[:, k], f"{name}, true"
            note = "Each point is a validation image; on the line the prediction is exact."
            sections.append(Scatter(f"{name}: predictions", note, x, y, (axis, "prediction")))
            note = "Prediction minus target: a slope or curve shows that predictions are biased towards the mean."
            sections.append(Scatter(f"{name}: residuals", note, x, y - x, (axis, "residual")))
        error = (np.abs(predicted - truth) / np.array(self.std)).max(1)
        order = np.argsort(-error)[:SHOWN_IMAGES]
        worst = [Shown(int(i), self._values_text(predicted[i]), self._values_text(truth[i])) for i in order]
        return [*sections, Pictures("Largest error", "", worst)]

    def trivial_score(self, meter: GatheringMeter) -> tuple[str, float]:
        """The mean of the training images for every image."""
        mean = meter.target.new_tensor(self.mean).expand_as(meter.target)
        standardised = (mean - mean.new_tensor(self.mean)) / mean.new_tensor(self.std)
        return "always the mean", self.scores(standardised, meter.target)["r2"]

    def answer_scores(self, output: Tensor, pixel: tuple[int, int] | None = None) -> Tensor:
        """The numbers in the units of the data."""
        super().answer_scores(output, pixel)
        return self.decode(output)

    def shown_answer(self, output: Tensor, target: NDArray[Any] | None) -> ShownAnswer:
        """Each number, predicted and true."""
        truth = [None if target is None or np.isnan(target[k]) else float(target[k]) for k in range(self.outputs)]
        rows = zip(self.classes, self.decode(output)[0].tolist(), truth, strict=True)
        return ShownAnswer(numbers=tuple(ShownNumber(*row) for row in rows))

    def image_errors(self, meter: GatheringMeter) -> ImageErrors:
        """The largest distance from the target, in standard deviations of the training targets.

        A distance of more than half of one counts as a mistake.
        """
        predicted, truth = self.decode(meter.output).double().numpy(), meter.target.double().numpy()
        distance = np.nan_to_num(np.abs(predicted - truth) / np.array(self.std))
        worst, rows = distance.argmax(1), np.arange(len(meter))
        off = (predicted - truth)[rows, worst]
        texts = (f"{self.classes[k]} off by {one:+.3g}" for k, one in zip(worst, off, strict=True))
        return ImageErrors(distance[rows, worst], distance[rows, worst] > MISTAKE, tuple(texts))

    def _values_text(self, values: Any) -> str:
        return ", ".join(f"{name} {value:.4g}" for name, value in zip(self.classes, values, strict=True))

    def predictions(self, output: Tensor, frames: Sequence[ViewTransform]) -> list[NumbersPrediction]:
        """Predictions in the units of the data."""
        return self.from_answers({"values": self.decode(output).numpy()}, frames)

    def answers(self, output: Tensor) -> dict[str, Tensor]:
        """The numbers in the units of the data."""
        return {"values": self.decode(output)}
