"""Overfitting, read from curves."""

from random import Random

from convscope.lessons.drawing import chart
from convscope.lessons.exercise import Exercise, exercise
from convscope.lessons.source import PictureSource
from convscope.lessons.topic import Topic


def _losses(pick: Random) -> tuple[list[float], list[float], int]:
    """Return training and validation losses of ten epochs, and the index of the best."""
    best, train, validation = pick.randint(3, 6), [], []
    for epoch in range(10):
        train.append(round(1.6 * 0.72**epoch + pick.uniform(0, 0.03), 2))
        valley = 0.55 + (0.06 if epoch > best else 0.15) * abs(epoch - best)
        validation.append(round(valley + pick.uniform(0.01, 0.03), 2))
    return train, validation, best


def _table(train: list[float], validation: list[float]) -> str:
    rows = [("epoch", [str(index + 1) for index in range(len(train))])]
    rows += [
        ("training loss", [f"{value:.2f}" for value in train]),
        ("validation loss", [f"{value:.2f}" for value in validation]),
    ]
    return "\n".join(f"    {name:<16}" + "".join(cell.rjust(6) for cell in cells) for name, cells in rows)


def best_epoch(pick: Random) -> Exercise:
    """The epoch to keep."""
    train, validation, best = _losses(pick)
    return exercise(
        f"{_table(train, validation)}\nOf which epoch do you keep the network?",
        best + 1,
        [
            (10, "The training loss falls to the end, but the validation loss is lower before: later epochs overfit."),
            (best, "Epochs count from 1 here."),
            (validation.index(max(validation)) + 1, "Take the lowest validation loss, not the highest."),
        ],
        ["Which of the two losses says how it does on new images?", "Look for the lowest validation loss."],
        f"epoch {best + 1} with a validation loss of {validation[best]:.2f}",
        {"train": train, "validation": validation},
    )


def gap(pick: Random) -> Exercise:
    """The gap between the losses."""
    train, validation, _ = _losses(pick)
    epoch = pick.randint(5, 9)
    right = round(validation[epoch] - train[epoch], 2)
    return exercise(
        f"{_table(train, validation)}\nHow large is the gap between validation and training loss at epoch {epoch + 1}?",
        right,
        [
            (-right, "Subtract the training loss from the validation loss."),
            (round(validation[epoch - 1] - train[epoch - 1], 2), "Epochs count from 1 here."),
            (
                round(validation[epoch] - min(validation), 2),
                "That is the rise since the best epoch; the gap is between the two losses.",
            ),
        ],
        ["Subtract in the column of that epoch.", f"{validation[epoch]:.2f} minus {train[epoch]:.2f}."],
        f"{validation[epoch]:.2f} - {train[epoch]:.2f} = {right:.2f}",
        {"train": train, "validation": validation, "epoch": epoch},
    )


def early_stopping(pick: Random) -> Exercise:
    """When early stopping ends."""
    train, validation, best = _losses(pick)
    patience = pick.randint(1, min(3, 9 - best))
    return exercise(
        f"{_table(train, validation)}\nEarly stopping with patience {patience} ends after {patience}"
        f" epoch{'s' if patience > 1 else ''} without a new lowest validation loss. After which epoch does it end?",
        best + 1 + patience,
        [
            (best + 1, "That is the best epoch; it waits for the patience before it ends."),
            (best + patience, "Epochs count from 1 here."),
            (10, "It ends before: the validation loss has not fallen for long enough."),
            (best + 2 + patience, "It ends as soon as that many epochs have passed, not one later."),
        ],
        ["Which epoch is the best?", f"Epoch {best + 1}; count {patience} from there."],
        f"{best + 1} + {patience} = {best + 1 + patience}, and keeps the network of epoch {best + 1}",
        {"validation": validation, "patience": patience},
    )


PATTERNS = (
    (
        "falls towards 0",
        "falls, then rises",
        "overfitting",
        "more images, augmentation, dropout, fewer parameters, or an earlier epoch",
    ),
    (
        "falls towards 0",
        "falls to a level far above it and stays there",
        "overfitting",
        "more images, augmentation or a smaller network",
    ),
    (
        "stays high",
        "stays high, close to it",
        "underfitting",
        "a larger network, longer training or a higher learning rate",
    ),
    ("falls slowly to the last epoch", "falls with it, close to it", "training ended too early", "more epochs"),
    (
        "falls and levels off",
        "falls with it and levels off close to it",
        "a good fit",
        "nothing, or more data of the kind that is wrong",
    ),
)
SENTENCES = {
    "overfitting": "Overfitting shows as a gap: the training loss falls on and the validation loss does not.",
    "underfitting": "Underfitting shows as two losses that both stay high.",
    "training ended too early": "If both losses still fall at the end, more epochs help; here they do not.",
    "a good fit": "In a good fit both losses level off close to each other.",
}


def diagnose(pick: Random) -> Exercise:
    """What two curves say."""
    images, (train, validation, right, remedy) = pick.choice([200, 500, 1000, 5000, 20_000]), pick.choice(PATTERNS)
    epochs = pick.choice([10, 20, 30, 50])
    return exercise(
        f"A network is trained on {images} images for {epochs} epochs. The training loss {train}; the validation loss"
        f" {validation}. What is that?",
        right,
        [(name, sentence) for name, sentence in SENTENCES.items() if name != right],
        ["Is there a gap between the losses?", "Do they still fall at the end?"],
        f"{right[0].upper()}{right[1:]}. What helps: {remedy}.",
        {"train": train, "validation": validation},
    )


REMEDIES = (
    ("augment the training images", "It shows more variants, which works against overfitting."),
    ("collect more training images", "More images work against overfitting."),
    ("raise the dropout rate", "Dropout works against overfitting."),
    ("use pretrained weights", "Pretrained features need fewer images, which works against overfitting."),
    ("keep an earlier epoch", "The best epoch of the validation loss overfits less."),
)
WORSE = (
    "add layers and filters",
    "train for more epochs",
    "remove the weight decay",
    "turn off the augmentation",
    "use half of the training images",
)


def not_a_remedy(pick: Random) -> Exercise:
    """What does not help."""
    wrong, right = pick.sample(REMEDIES, 3), pick.choice(WORSE)
    accuracy = pick.randint(60, 85)
    return exercise(
        f"A network is right on 100 % of its training images and on {accuracy} % of the validation images. Which of"
        " these makes that worse, if anything?",
        right,
        list(wrong),
        [
            "It overfits. What lets it overfit more?",
            "More freedom, or less data and less regularisation, overfit more.",
        ],
        f"To {right} lets it overfit more.",
        {"accuracy": accuracy},
    )


def rise(pick: Random) -> Exercise:
    """By how much the last epoch is worse."""
    train, validation, best = _losses(pick)
    right = round(100 * (validation[-1] / validation[best] - 1), 1)
    from convscope.lessons.answers import numbers

    return exercise(
        f"{_table(train, validation)}\nBy how many per cent is the validation loss of the last epoch above the lowest"
        " one? Write 20 for 20 %, with 1 decimal.",
        numbers(right, decimals=1),
        [
            (100 * validation[-1] / validation[best], "Subtract 100: the question is by how much it is above."),
            (100 * (1 - validation[best] / validation[-1]), "Divide by the lowest loss, from which it rises."),
            (100 * (validation[-1] - validation[best]), "That is the difference; divide it by the lowest loss."),
        ],
        ["Find the lowest validation loss.", f"({validation[-1]:.2f} - {validation[best]:.2f})/{validation[best]:.2f}"],
        f"100x({validation[-1]:.2f}/{validation[best]:.2f} - 1) = {right:.1f}",
        {"validation": validation},
    )


def picture(source: PictureSource) -> str:
    """Draw training and validation loss."""
    curves = source.curves
    best = min(range(len(curves.validation)), key=lambda epoch: curves.validation[epoch])
    drawn = chart({"training loss": curves.train, "validation loss": curves.validation}, 12)
    return f"{drawn}\nlowest validation loss at epoch {best + 1} of {len(curves.validation)}"


TOPIC = Topic(
    name="overfitting",
    chapter="judging",
    title="Overfitting, read from curves",
    outcome="see overfitting in curves and say what helps",
    text=(
        "A network that overfits learns its training images with their noise: the training loss falls on while the"
        " validation loss stays or rises. Keep the epoch with the lowest validation loss. More images, augmentation,"
        " dropout, pretrained weights and fewer parameters help."
    ),
    formula="gap = validation loss - training loss",
    attempt=("See what is wrong with a run, and let it be fixed", "convscope diagnose RUN"),
    picture=picture,
    generators=(best_epoch, gap, early_stopping, diagnose, not_a_remedy, rise),
)
