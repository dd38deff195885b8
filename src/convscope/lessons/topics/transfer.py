"""Transfer learning: which layers to replace."""

from fractions import Fraction
from random import Random

from convscope.lessons.answers import number_text
from convscope.lessons.drawing import bars
from convscope.lessons.exercise import Exercise, exercise
from convscope.lessons.source import PictureSource
from convscope.lessons.topic import Correction, Topic

BIAS = "You forgot the biases: one for each class."


def last_layer(pick: Random) -> Exercise:
    """Parameters of a new last layer."""
    features, classes = pick.choice([512, 1024, 1280, 2048, 4096]), pick.randint(3, 40)
    right = (features + 1) * classes
    return exercise(
        f"A pretrained network ends with {features} features and a layer for 1000 classes. You replace that layer for"
        f" your {classes} classes and freeze everything else. How many parameters are trained?",
        right,
        [
            (features * classes, BIAS),
            ((features + 1) * 1000, "That is the old layer; the new one has your classes."),
            ((features + 1) * (1000 + classes), "The old layer is replaced, not kept."),
            (features * classes + 1, "Each class has its own bias."),
        ],
        ["The new layer is fully connected.", f"It has {features} weights and a bias for each class."],
        f"({features} + 1)x{classes} = {right:,}",
        {"features": features, "classes": classes},
    )


def several_layers(pick: Random) -> Exercise:
    """Parameters of three new layers."""
    inputs, hidden, classes = pick.choice([256, 512, 1024]), pick.choice([64, 128, 256]), pick.randint(2, 20)
    parts = [(inputs + 1) * hidden, (hidden + 1) * hidden, (hidden + 1) * classes]
    return exercise(
        f"You replace the last three fully connected layers: {inputs} -> {hidden} -> {hidden} -> {classes}, with"
        " biases, and freeze the rest. How many parameters are trained?",
        sum(parts),
        [
            (parts[2], "That is the last layer alone."),
            (sum(parts) - 2 * hidden - classes, "You forgot the biases."),
            (parts[0] + parts[2], "You forgot the layer in the middle."),
            (sum(parts) + inputs, "The biases belong to the outputs of a layer, not to its inputs."),
        ],
        ["Count the three layers one by one.", f"The first has ({inputs} + 1)x{hidden} = {parts[0]}."],
        f"{' + '.join(map(str, parts))} = {sum(parts):,}",
        {"inputs": inputs, "hidden": hidden, "classes": classes},
    )


def share(pick: Random) -> Exercise:
    """The share of a network that is trained."""
    frozen, features, classes = (
        pick.choice([200_000, 500_000, 2_000_000]),
        pick.choice([512, 1280]),
        pick.randint(5, 50),
    )
    trained = (features + 1) * classes
    right = Fraction(trained, frozen + trained)
    return exercise(
        f"The frozen encoder has {frozen:,} parameters, the new last layer gets {features} features and has {classes}"
        " classes. Which share of all parameters is trained?",
        right,
        [
            (Fraction(trained, frozen), "Divide by all parameters: the new layer is one part of the network."),
            (1 - right, "That is the share that is frozen."),
            (
                Fraction(features * classes, frozen + features * classes) * Fraction(1, 2),
                "Count the weights of the new layer once.",
            ),
        ],
        ["How many parameters has the new layer?", f"It has {trained:,}; all together are {frozen + trained:,}."],
        f"{trained:,}/{frozen + trained:,} = {float(right):.4f}",
        {"frozen": frozen, "features": features, "classes": classes},
    )


PLANS = (
    (
        "the new last layer only",
        "With few images like those of the pretraining, more layers would overfit: train the last one.",
    ),
    (
        "several of the last layers",
        "With more images that differ somewhat, later layers must adapt, and early ones still fit.",
    ),
    (
        "all layers, with small learning rates",
        "With many images, fine-tuning everything pays; a small rate keeps what was learned.",
    ),
)


def what_to_train(pick: Random) -> Exercise:
    """What to train with so many images."""
    per_class = pick.choice([10, 20, 30, 40, 200, 300, 400, 3000, 5000, 8000])
    index = 0 if per_class < 100 else 1 if per_class < 1000 else 2
    if index == 1:
        setting = "photographs of a somewhat different kind"
    else:
        setting = (
            "photographs like those of the pretraining"
            if index == 0
            else "images of another kind, such as microscope images"
        )
    classes = pick.randint(3, 12)
    return exercise(
        f"A network pretrained on ImageNet, {classes} classes with {per_class} images each: {setting}. What do you"
        " train first?",
        PLANS[index][0],
        [plan for number, plan in enumerate(PLANS) if number != index],
        [
            "How many images are there, and how alike are they?",
            "Few and alike: little is trained. Many or different: more.",
        ],
        PLANS[index][1],
        {"per_class": per_class, "classes": classes},
    )


def layer_rates(pick: Random) -> Exercise:
    """Learning rates that fall towards the input."""
    head, factor, decay = Fraction(1, 100), Fraction(pick.randint(1, 5), 10), Fraction(pick.randint(5, 9), 10)
    stages = pick.randint(2, 4)
    right = head * factor * decay ** (stages - 1)
    from convscope.lessons.answers import numbers

    return exercise(
        f"The head learns with rate 0.01. The last of {stages} stages of the encoder learns {number_text(factor)} times"
        f" as fast, and each stage before it {number_text(decay)} times as fast as the stage after it. Which rate has"
        " the first stage? Give six decimals.",
        numbers(right, decimals=6),
        [
            (head * factor * decay**stages, "One factor too many: the last stage has none."),
            (head * factor, "That is the last stage; the first learns more slowly."),
            (head * decay ** (stages - 1), "You forgot that the whole encoder learns more slowly than the head."),
            (
                head * factor / decay ** (stages - 1),
                "Early stages are the most general and change least: the rate falls towards the input.",
            ),
        ],
        ["Start at the last stage.", f"It has 0.01 x {number_text(factor)}; go {stages - 1} stages back."],
        f"0.01 x {number_text(factor)} x {number_text(decay)}^{stages - 1} = {float(right):.6f}",
        {"factor": str(factor), "decay": str(decay), "stages": stages},
    )


FROZEN = (
    ("the gradient of a frozen weight", "zero change in every step", "A frozen weight is not updated at all."),
    (
        "the running means of a frozen batch norm",
        "they stay as pretrained",
        "In training mode they would move with every batch, so a frozen norm is kept in evaluation mode.",
    ),
    (
        "the features of a frozen encoder for the same image",
        "they are the same in every epoch",
        "So they can be computed once and cached.",
    ),
)


def frozen(pick: Random) -> Exercise:
    """What freezing means."""
    depth, (subject, right, why) = pick.choice([18, 34, 50, 101]), pick.choice(FROZEN)
    answers = {
        "zero change in every step": "That is what holds for a frozen weight.",
        "they stay as pretrained": "That is what must be ensured for the statistics of batch norm.",
        "they are the same in every epoch": "That holds for outputs of the frozen part.",
        "it learns with a smaller rate": "A smaller rate is fine-tuning; frozen means no change.",
    }
    return exercise(
        f"All stages of a ResNet-{depth} are frozen and a new head is trained, without augmentation. What holds for"
        f" {subject}?",
        right,
        [(answer, sentence) for answer, sentence in answers.items() if answer != right],
        ["Frozen means that nothing of it changes.", "Also statistics, not only weights."],
        why,
        {"subject": subject},
    )


def picture(source: PictureSource) -> str:
    """Draw the parameters of the encoder and of the last layer."""
    layers = [one for one in source.layers if one.num_parameters]
    last = layers[-1].num_parameters
    counts = {"frozen": float(sum(one.num_parameters for one in layers) - last), "last layer, trained": float(last)}
    return f"parameters if only the last layer is replaced:\n{bars(counts)}"


TOPIC = Topic(
    name="transfer",
    chapter="building",
    title="Transfer learning: which layers to replace",
    outcome="choose which layers of a pretrained network to replace and to train",
    text=(
        "Early layers find edges and textures, which serve most images; later ones are special. With few images,"
        " replace and train the last layer only. With more, replace or unfreeze several, with smaller learning rates"
        " towards the input. Frozen layers keep their batch-norm statistics too."
    ),
    formula="trained parameters of a new last layer = (features + 1) x classes",
    attempt=("Replace the last layer of a pretrained network", "convscope train photos --from imagenet --replace-fc 1"),
    picture=picture,
    generators=(last_layer, several_layers, share, what_to_train, layer_rates, frozen),
    corrections=(
        Correction(
            "ImageNet has 100 classes.",
            "The set of the yearly challenge, with which networks are pretrained, has 1000 classes and 1.28 million"
            " training images.",
            "Russakovsky and others, ImageNet large scale visual recognition challenge (2015), table 2",
        ),
    ),
)
