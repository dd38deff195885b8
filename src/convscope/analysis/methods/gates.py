"""Gates of squeeze-and-excite blocks, per class or per image."""

from typing import TYPE_CHECKING

from convscope.analysis.method import ImageSettings, Method, setting
from convscope.progress import Progress

if TYPE_CHECKING:
    from convscope.analysis.result import Findings
    from convscope.analysis.target import AnalysisTarget


class GatesSettings(ImageSettings, frozen=True):
    """Settings of `gates`."""

    layers: tuple[str, ...] = setting((), "Layers that compute gates.", auto="all of them", widget="layers")
    max_images: int = setting(200, "Total number of images, if none are named.", ge=2)
    one_by_one: bool = setting(False, "One row per image instead of one per class.")


def run(target: "AnalysisTarget", settings: GatesSettings, on_progress: Progress) -> "Findings":
    """Draw the gates of each block: the mean of every class, or those of every image."""
    from convscope.analysis.gate_sheets import gate_sheet
    from convscope.analysis.result import Findings
    from convscope.analysis.selection import select_images
    from convscope.errors import ConfigError
    from convscope.explainers import gate_layers, gates

    images = select_images(target, settings)
    known = gate_layers(target.model, target.input(images, slice(0, 1)))
    layers = [layer for layer in settings.layers if layer in known] if settings.layers else known
    if not layers:
        raise ConfigError(
            f"gates: {target.name} has no such squeeze-and-excite blocks; "
            + (f"choose layers from {', '.join(known)}" if known else "train with --model se_resnet18 to have some")
        )
    found, by_class = gates(target.model, target.batches(images), layers), not settings.one_by_one
    by_class = by_class and bool(target.classes) and bool((images.targets >= 0).all())
    pictures, numbers, summary = {}, [], []
    for done, one in enumerate(found, 1):
        share = one.between_classes(images.targets)
        rows = one.of_classes(images.targets, len(target.classes)) if by_class else one.values
        names = target.classes if by_class else images.names
        note = f"{100 * share:.0f} % of the variance of these gates lies between classes, the rest within them."
        pictures[one.block] = gate_sheet(rows, names, one.block, note if by_class else "")
        numbers.append({**one.to_json(), "between_classes": share, "rows": list(names), "gates": rows.tolist()})
        summary.append(
            f"{one.block}: gates from {one.values.min():.2f} to {one.values.max():.2f}, "
            f"{100 * share:.0f} % of their variance between classes"
        )
        on_progress(done, len(found))
    return Findings(pictures, {"images": images.names, "blocks": numbers}, tuple(summary))


METHOD = Method(
    name="gates",
    title="Gates",
    summary="The factors by which squeeze-and-excite blocks multiply the channels, per class or image.",
    details="Example: --images mistakes --one-by-one.",
    limitations="Limitations: a small gate does not mean that a channel is unimportant; later layers may rescale it.",
    settings=GatesSettings,
    run=run,
)
