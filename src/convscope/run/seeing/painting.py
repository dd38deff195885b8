"""Pictures painted from noise: what a layer keeps of an image, what a channel wants, what a class looks like."""

import numpy as np

from convscope.errors import ConfigError, did_you_mean
from convscope.explain import (
    INVERT,
    REMINDER,
    Inversion,
    PaintSettings,
    Progress,
    Transforms,
    Wanted,
    channel_maxima,
    feature_vectors,
    invert,
    maximise_channels,
    maximise_classes,
    nearest,
    stimuli,
)
from convscope.run.seeing.choose import (
    check_names_classes,
    chosen_channels,
    chosen_images,
    chosen_layers,
    stages,
    width_of,
)
from convscope.run.seeing.findings import Findings
from convscope.run.seeing.settings import ClassLook, InvertLook, PaintLook
from convscope.run.seeing.sheets import OTHER, SAME, framed, shown, stacked, table, titled
from convscope.run.seeing.stimulating import patches
from convscope.run.seeing.subject import Images, Subject

SIDE = 132
RATE = 0.05
SMALL_RATE = 0.01  # below 128 pixels: at 64, 0.05 ended in pure colours, and 0.01 scored 1.4 to 1.9 times as high
CHANNELS = 8  # of a layer, where none are named
CLASSES = 20  # where none are named
BESIDE = 4  # real patches beside a painted picture
REAL = 512  # real images that painted ones are set beside


def painting(subject: Subject, look: PaintLook | ClassLook) -> PaintSettings:
    """How pictures of this network's size are painted: small ones must not be jittered out of sight."""
    size = subject.size if look.size is None else (look.size, look.size)
    moves = Transforms(jitter=min(8, min(size) // 16))
    return PaintSettings(
        steps=look.steps,
        size=size,
        copies=getattr(look, "copies", 1),
        seed=look.seed,
        transforms=moves,
        learning_rate=RATE if min(size) >= 128 else SMALL_RATE,
    )


def some_images(subject: Subject, most: int = REAL) -> Images:
    """Training images, evenly chosen, at most so many."""
    images = subject.read("train")
    return images.take(np.unique(np.linspace(0, len(images) - 1, min(most, len(images))).astype(int)))


def see_maximise(subject: Subject, look: PaintLook, on_progress: Progress) -> Findings:
    """For each layer a sheet: what channels want to see, beside what of the real images excites them most."""
    sample = subject.input(sample_images(subject))
    layers = chosen_layers(subject, look.layers, sample)
    real, settings = some_images(subject), painting(subject, look)
    pictures, numbers, says = {}, [], []
    for place, layer in enumerate(layers):
        channels = chosen_channels(layer, width_of(subject.model, layer, sample), look.channels, CHANNELS)
        report = _after(on_progress, place, len(layers))
        wanted = maximise_channels(subject.model, layer, channels, subject.space, settings, report)
        if len(real):
            wanted = wanted.against(channel_maxima(subject.model, layer, subject.batches(real)))
        pictures[layer] = wanted_sheet(subject, real, wanted, settings.copies)
        numbers.append(_short(wanted))
        says.append(wanted_sentence(wanted))
    return Findings(pictures, {"layers": numbers}, tuple(says))


def _after(on_progress: Progress, place: int, layers: int) -> Progress:
    return lambda done, of: on_progress(place * (of or 1) + done, layers * (of or 1))


def sample_images(subject: Subject) -> Images:
    """One image of the network's size: the first that there is, else an even one."""
    images = subject.read("train")
    if len(images):
        return images.take([0])
    grey = np.full((1, len(subject.mean), *subject.size), 0.5, np.float32)
    return Images(("grey",), np.array([-1]), grey, np.array([0]))


def wanted_sheet(subject: Subject, real: Images, wanted: Wanted, copies: int) -> np.ndarray:
    """A row for each channel: its painted pictures, then its strongest real patches."""
    found = stimuli(subject.model, wanted.layer, subject.batches(real), BESIDE) if len(real) else None
    rows = []
    for place in range(0, len(wanted.targets), copies):
        channel, final = int(wanted.targets[place]), wanted.pictures.final[place : place + copies]
        tiles = [shown(pixels, SIDE) for pixels in wanted.pictures.pixels[place : place + copies]]
        names = ["painted"] * len(tiles)
        label = f"channel {channel}: {final.max():.2f} painted"
        if wanted.data_maximum is not None:
            label += f", {wanted.data_maximum[place]:.2f} at most on real images"
        if found is not None:
            patch, called = patches(subject, real, found, channel, BESIDE, SIDE)
            tiles, names = tiles + patch, names + [f"real: {name}" if name else "real" for name in called]
        rows.append((label, tiles, names))
    note = "Painted from noise to excite the channel. Where it agrees with the real patches beside it, believe it."
    return titled(table(rows), f"{wanted.layer}: what channels want to see", note)


def _short(wanted: Wanted) -> dict[str, object]:
    """The numbers without the way there."""
    return {name: value for name, value in wanted.to_json().items() if name != "history"}


def wanted_sentence(wanted: Wanted) -> str:
    """How far beyond the data the pictures go."""
    final, most = wanted.pictures.final, wanted.data_maximum
    silent = int((final <= 0).sum())
    told = f"{wanted.layer}: {len(final)} pictures painted, {silent} of channels that could not be woken"
    if most is None:
        return told
    beyond = final > most
    ratio = np.median(final[most > 0] / most[most > 0]) if (most > 0).any() else 0.0
    return f"{told}; {int(beyond.sum())} exceed every real image, {ratio:.1f} times its score in the middle"


def see_class(subject: Subject, look: ClassLook, on_progress: Progress) -> Findings:
    """What each class looks like to the network, beside the real images that the pictures resemble most."""
    check_names_classes(subject)
    for name in look.images:
        if name not in subject.classes:
            raise ConfigError(f"images: no class {name}{did_you_mean(name, subject.classes or ('none',))}")
    sample = subject.input(sample_images(subject))
    classes = [subject.classes.index(name) for name in look.images] or list(range(_outputs(subject, sample)))[:CLASSES]
    wanted = maximise_classes(subject.model, classes, subject.space, painting(subject, look), on_progress)
    sheet, alike = class_sheet(subject, wanted, stages(subject.model, sample)[-1])
    assert wanted.probability is not None  # it is given for classes
    right = sum(probability > 0.5 for probability in wanted.probability)
    numbers = {**_short(wanted), "classes": [subject.called(k) for k in classes], "resembles": alike}
    said = f"{right} of {len(classes)} class images are taken for their class with more than 50 %"
    return Findings({"class": sheet}, numbers, (said, REMINDER))


def _outputs(subject: Subject, sample: object) -> int:
    return len(subject.classes) or width_of(subject.model, "", sample)  # type: ignore[arg-type]


def class_sheet(subject: Subject, wanted: Wanted, layer: str) -> tuple[np.ndarray, list[list[str]]]:
    """The sheet, and the real images that each picture resembles."""
    assert wanted.probability is not None  # it is given for classes
    real, rows, alike = some_images(subject), [], []
    near = np.zeros((len(wanted.targets), 0), np.int64)
    if len(real):
        painted = Images(
            ("",) * len(wanted.targets), wanted.targets, wanted.pictures.pixels, np.arange(len(wanted.targets))
        )
        vectors = [feature_vectors(subject.model, layer, subject.batches(some)) for some in (real, painted)]
        near = nearest(vectors[0], BESIDE, vectors[1]).indices
    for place, target in enumerate(wanted.targets.tolist()):
        tiles = [shown(wanted.pictures.pixels[place], SIDE)]
        others = real.take(near[place])
        pixels = others.pixels().numpy()
        for image, truth in zip(pixels, others.targets, strict=True):
            tiles.append(framed(shown(image, SIDE), SAME if truth in (target, -1) else OTHER))
        label = f"{subject.called(target)}: taken for it with {100 * wanted.probability[place]:.1f} %"
        rows.append((label, tiles, ["painted", *(subject.called(int(truth)) for truth in others.targets)]))
        alike.append(list(others.names))
    note = f"Painted from noise; beside it the real images that {layer} finds most like it. {REMINDER}"
    return titled(table(rows), "What classes look like to the network", note), alike


def see_invert(subject: Subject, look: InvertLook, on_progress: Progress) -> Findings:
    """One sheet: each image beside what every layer has kept of it."""
    images = chosen_images(subject, look.images, look.split, look.each, look.most, look.seed)
    x = subject.input(images)
    layers = chosen_layers(subject, look.layers, x)
    settings = INVERT.model_copy(update={"steps": look.steps, "seed": look.seed})
    found = invert(subject.model, x, layers, subject.space, settings, on_progress)
    numbers = {"images": images.names, "layers": [one.to_json() for one in found]}
    return Findings({"invert": invert_sheet(subject, images, found)}, numbers, tuple(map(_kept, found)))


def invert_sheet(subject: Subject, images: Images, found: tuple[Inversion, ...]) -> np.ndarray:
    """A row for each image, a column for each depth."""
    rows, pixels = [], images.pixels().numpy()
    for place, name in enumerate(images.names):
        tiles = [shown(pixels[place], SIDE), *(shown(one.pictures.pixels[place], SIDE) for one in found)]
        falls = [f"{one.layer} {100 * one.fall[place]:.0f} %{'' if one.reached[place] else ' !'}" for one in found]
        heads = ["image", *falls]
        called = subject.called(int(images.targets[place]))
        rows.append((f"{name}{': ' if called else ''}{called}", tiles, heads))
    note = (
        "Painted until the layer answers as for the image; above each, how far the feature loss fell "
        "(! less than 90 %: the search failed, which does not mean that the layer forgot). Deeper layers forget place "
        "and colour first."
    )
    return stacked([titled(table(rows), "What each layer keeps", note)])


def _kept(found: Inversion) -> str:
    return (
        f"{found.layer}: the feature loss fell by {100 * found.fall.min():.0f} % or more"
        f"{'' if found.reached.all() else ' (less than the 90 % that count: take more steps)'}; "
        f"pixels correlate {found.likeness.mean():.2f} with the image's"
    )
