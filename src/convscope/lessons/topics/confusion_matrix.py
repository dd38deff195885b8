"""The confusion matrix and its measures."""

from fractions import Fraction
from random import Random

from convscope.lessons.answers import number_text
from convscope.lessons.exercise import Exercise, exercise
from convscope.lessons.grids import Grid, shown
from convscope.lessons.source import PictureSource
from convscope.lessons.topic import Correction, Topic

CLASSES = ("cat", "dog", "fox")
HEAD = "Rows are true classes, columns predictions, in the order cat, dog, fox:"


def drawn(pick: Random) -> Grid:
    """Return a 3x3 matrix with most counts on the diagonal."""
    return [[pick.randint(10, 60) if row == column else pick.randint(1, 12) for column in range(3)] for row in range(3)]


def recall_of(matrix: Grid, k: int) -> Fraction:
    """Return the part of class k that was found."""
    return Fraction(matrix[k][k], sum(matrix[k]))


def precision_of(matrix: Grid, k: int) -> Fraction:
    """Return the part of predictions of class k that is right."""
    return Fraction(matrix[k][k], sum(row[k] for row in matrix))


def f1_of(matrix: Grid, k: int) -> Fraction:
    """Return the harmonic mean of precision and recall."""
    precision, recall = precision_of(matrix, k), recall_of(matrix, k)
    return 2 * precision * recall / (precision + recall)


def accuracy_of(matrix: Grid) -> Fraction:
    """Return the part of all images that is right."""
    return Fraction(sum(matrix[k][k] for k in range(3)), sum(map(sum, matrix)))


def accuracy(pick: Random) -> Exercise:
    """Accuracy."""
    matrix = drawn(pick)
    right = accuracy_of(matrix)
    return exercise(
        f"{HEAD}\n{shown(matrix)}\nWhat is the accuracy?",
        right,
        [
            (1 - right, "That is the error rate."),
            (
                sum(recall_of(matrix, k) for k in range(3)) / 3,
                "That is the mean recall: accuracy counts images, not classes.",
            ),
            (Fraction(matrix[0][0], sum(map(sum, matrix))), "All right predictions count: the whole diagonal."),
            (sum(precision_of(matrix, k) for k in range(3)) / 3, "That is the mean precision."),
        ],
        [
            "Where are the right predictions?",
            f"On the diagonal: {sum(matrix[k][k] for k in range(3))} of {sum(map(sum, matrix))}.",
        ],
        f"{sum(matrix[k][k] for k in range(3))}/{sum(map(sum, matrix))} = {float(right):.3f}",
        {"matrix": matrix},
    )


def recall(pick: Random) -> Exercise:
    """Recall."""
    matrix, k = drawn(pick), pick.randint(0, 2)
    right = recall_of(matrix, k)
    return exercise(
        f"{HEAD}\n{shown(matrix)}\nWhat is the recall of {CLASSES[k]}?",
        right,
        [
            (precision_of(matrix, k), "That is the precision: you divided by the column, the predictions."),
            (Fraction(matrix[k][k], sum(map(sum, matrix))), "Divide by the images of this class only: its row."),
            (1 - right, "That is the part that was missed."),
            (f1_of(matrix, k), "That is F1."),
        ],
        ["How many of the true images of this class were found?", f"The row adds up to {sum(matrix[k])}."],
        f"{matrix[k][k]}/{sum(matrix[k])} = {float(right):.3f}",
        {"matrix": matrix, "class": k},
    )


def precision(pick: Random) -> Exercise:
    """Precision."""
    matrix, k = drawn(pick), pick.randint(0, 2)
    right, column = precision_of(matrix, k), sum(row[k] for row in matrix)
    return exercise(
        f"{HEAD}\n{shown(matrix)}\nWhat is the precision of {CLASSES[k]}?",
        right,
        [
            (recall_of(matrix, k), "That is the recall: you divided by the row, the true images."),
            (
                Fraction(matrix[k][k], sum(map(sum, matrix))),
                "Divide by the predictions of this class only: its column.",
            ),
            (1 - right, "That is the part of its predictions that is wrong."),
            (f1_of(matrix, k), "That is F1."),
        ],
        ["How many of the predictions of this class are right?", f"The column adds up to {column}."],
        f"{matrix[k][k]}/{column} = {float(right):.3f}",
        {"matrix": matrix, "class": k},
    )


def f1(pick: Random) -> Exercise:
    """F1."""
    matrix, k = drawn(pick), pick.randint(0, 2)
    right = f1_of(matrix, k)
    row, column = sum(matrix[k]), sum(line[k] for line in matrix)
    return exercise(
        f"{HEAD}\n{shown(matrix)}\nWhat is F1 of {CLASSES[k]}?",
        right,
        [
            (
                (precision_of(matrix, k) + recall_of(matrix, k)) / 2,
                "That is the ordinary mean; F1 is the harmonic mean.",
            ),
            (precision_of(matrix, k), "That is the precision."),
            (recall_of(matrix, k), "That is the recall."),
            (precision_of(matrix, k) * recall_of(matrix, k), "Twice the product, divided by the sum."),
        ],
        ["It is 2 x precision x recall/(precision + recall).", f"The same is 2x{matrix[k][k]}/(row + column)."],
        f"2x{matrix[k][k]}/({row} + {column}) = {float(right):.3f}",
        {"matrix": matrix, "class": k},
    )


def balanced(pick: Random) -> Exercise:
    """Balanced accuracy."""
    matrix = drawn(pick)
    rare = pick.randint(0, 2)
    matrix[rare] = [pick.randint(1, 4) for _ in range(3)]
    parts = [recall_of(matrix, k) for k in range(3)]
    return exercise(
        f"{HEAD}\n{shown(matrix)}\nWhat is the balanced accuracy, the mean of the recalls?",
        sum(parts, Fraction()) / 3,
        [
            (accuracy_of(matrix), "That is the accuracy, in which a rare class hardly counts."),
            (sum(precision_of(matrix, k) for k in range(3)) / 3, "That is the mean of the precisions."),
            (min(parts), "That is the lowest recall; take the mean of the three."),
            (sum(parts, Fraction()), "Divide the sum of the recalls by the number of classes."),
        ],
        ["Compute the recall of each class.", f"The first is {matrix[0][0]}/{sum(matrix[0])}."],
        f"({' + '.join(number_text(part) for part in parts)})/3 = {float(sum(parts)) / 3:.3f}",
        {"matrix": matrix},
    )


def most_confused(pick: Random) -> Exercise:
    """The most frequent confusion."""
    matrix = drawn(pick)
    row, column = pick.sample(range(3), 2)
    matrix[row][column] = 13 + pick.randint(0, 10)
    found = [(i, j) for i in range(3) for j in range(3) if i != j]
    others = [(j, i) for i, j in [(row, column)]] + [
        pair for pair in found if pair not in ((row, column), (column, row))
    ][:2]
    sentences = [
        "Rows are the true classes: you read the matrix the other way round.",
        "Look for the largest count off the diagonal.",
        "Compare the counts off the diagonal again: another one is larger.",
    ]
    return exercise(
        f"{HEAD}\n{shown(matrix)}\nWhich mistake is most frequent?",
        f"{CLASSES[row]} classified as {CLASSES[column]}",
        [
            (f"{CLASSES[i]} classified as {CLASSES[j]}", sentence)
            for (i, j), sentence in zip(others, sentences, strict=True)
        ],
        ["Mistakes are off the diagonal.", f"The largest count there is {matrix[row][column]}."],
        f"{matrix[row][column]} images, in row {row + 1} and column {column + 1}.",
        {"matrix": matrix},
    )


def picture(source: PictureSource) -> str:
    """Draw a confusion matrix."""
    classes, counts = source.confusion
    names = [name[:6] for name in classes]
    width = max(4, *map(len, names), *(len(str(value)) for value in counts.flatten()))
    lines = ["true \\ predicted".ljust(16) + "".join(name.rjust(width + 1) for name in names)]
    for name, row in zip(names, counts.tolist(), strict=True):
        lines.append(name.rjust(16) + "".join(("." if not value else str(value)).rjust(width + 1) for value in row))
    right = sum(counts[k, k] for k in range(len(classes)))
    return "\n".join([*lines, f"accuracy {right}/{counts.sum()} = {right / max(counts.sum(), 1):.3f}"])


TOPIC = Topic(
    name="confusion-matrix",
    chapter="judging",
    title="The confusion matrix",
    outcome="read a confusion matrix and compute its measures",
    text=(
        "The confusion matrix counts images by true class (row) and predicted class (column). Its diagonal is right."
        " Accuracy can hide that a rare class is never found; recall, precision and F1 of each class show it."
    ),
    formula="recall = diagonal/row, precision = diagonal/column, F1 = 2 x diagonal/(row + column)",
    attempt=("Evaluate a run, class by class", "convscope evaluate RUN"),
    picture=picture,
    generators=(accuracy, recall, precision, f1, balanced, most_confused),
    corrections=(
        Correction(
            "ResNet's error on ImageNet is 3.5 %.",
            "The paper reports 3.57 %: the top-5 error of six networks together, on the test set.",
            "He and others, Deep residual learning for image recognition (2015), table 5",
        ),
        Correction(
            "The test set is for tuning, the validation set for the final judgement.",
            "Usually it is the other way round: tune on validation, judge once on test. convscope accepts both words in"
            " folders and stores which is which.",
            "Goodfellow, Bengio and Courville, Deep Learning (2016), section 5.3",
        ),
    ),
)
