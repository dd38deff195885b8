"""The topics by name, in the order in which they build on each other. A new one is a file and a line here."""

from collections.abc import Iterable

from convscope.errors import ConfigError, did_you_mean
from convscope.lessons.topic import Topic
from convscope.lessons.topics import (
    activations,
    assemble,
    batch_norm,
    confusion_matrix,
    convolution,
    dropout,
    gradient_descent,
    initialisation,
    learning_rate,
    losses,
    momentum,
    output_size,
    overfitting,
    parameters,
    pooling,
    receptive_field,
    separable,
    shared_weights,
    softmax,
    stacks,
    transfer,
    transposed,
)

CHAPTERS = {
    "layers": "Layers and their arithmetic",
    "learning": "Learning",
    "judging": "Judging a network",
    "building": "Building a network",
}
_ORDERED = (
    convolution.TOPIC,
    output_size.TOPIC,
    parameters.TOPIC,
    pooling.TOPIC,
    stacks.TOPIC,
    receptive_field.TOPIC,
    separable.TOPIC,
    transposed.TOPIC,
    activations.TOPIC,
    softmax.TOPIC,
    losses.TOPIC,
    gradient_descent.TOPIC,
    shared_weights.TOPIC,
    learning_rate.TOPIC,
    momentum.TOPIC,
    initialisation.TOPIC,
    batch_norm.TOPIC,
    dropout.TOPIC,
    confusion_matrix.TOPIC,
    overfitting.TOPIC,
    transfer.TOPIC,
    assemble.TOPIC,
)
TOPICS: dict[str, Topic] = {topic.name: topic for topic in _ORDERED}


def find_topics(names: Iterable[str]) -> list[Topic]:
    """Return the topics of names of topics and chapters, each once; all for no name.

    Raises:
        ConfigError: there is no such topic or chapter.
    """
    found: dict[str, Topic] = {}
    for name in names:
        plain = name.strip().lower().replace("_", "-").replace(" ", "-")
        if plain in CHAPTERS:
            found |= {topic.name: topic for topic in TOPICS.values() if topic.chapter == plain}
        elif plain in TOPICS:
            found[plain] = TOPICS[plain]
        else:
            raise ConfigError(f"learn: no topic {name}{did_you_mean(plain, [*TOPICS, *CHAPTERS])}")
    return list(found.values()) or list(TOPICS.values())
