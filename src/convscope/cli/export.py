"""``convscope export``"""

from pathlib import Path
from typing import Annotated

import typer

from convscope.cli.options import SelfTestOption


def export(
    run: Annotated[Path, typer.Argument(help="The folder of a run or of a saved model.", show_default=False)],
    to: Annotated[str, typer.Option(help="The form: onnx, torch, hub or page.")] = "onnx",
    bare: Annotated[
        bool,
        typer.Option("--bare", help="With onnx, also write the network alone, without preprocessing."),
    ] = False,
    images: Annotated[
        list[Path] | None,
        typer.Option(help="Image file for the proof; repeat it for several.", show_default="the validation images"),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="The folder to write into.", show_default="RUN/export")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    no_self_test: SelfTestOption = False,  # noqa: ARG001 - its callback acts
) -> None:
    """Write a network in a form that other programs run, after proving that it gives the run's answers.

    model.onnx takes upright RGB pictures of any size as bytes and returns answers: it resizes, crops and normalises as
    `predict` does, and gives boxes and masks in pixels of the picture. At least 200 validation images are predicted by
    the run and by the file; if a number differs by more than 0.0001 or an answer is another, nothing is written and
    the message names the layer where the first difference arises.

    latency.json says how long the run and the forms take on this machine, for 1 and 16 images; `predict` and `serve`
    take the faster of the run and model.onnx.

    --to torch writes model.pt2, a program of torch.export that takes pixels at the size of the network's input.
    --to hub writes a folder for the Hugging Face Hub: weights, configuration and a model card; nothing is uploaded.
    --to page writes one HTML file for a browser, which computes the answers, the feature maps and where the network
    looks by itself: it works offline, from a mail, and sends nothing.

    Example: `convscope export runs/photos-1`

    Example: `convscope export runs/photos-1 --bare --out shipped`

    Example: `convscope export runs/photos-1 --to page`
    """
    from convscope.api import export as written
    from convscope.cli.printing import print_json

    result = written(run, to, bare=bare, images=images or (), out=out)
    if json:
        print_json(result.to_dict())
        return
    print(f"proof: {result.parity}")
    if result.latency:
        print(f"time: {result.latency}")
    for file in result.files:
        print(file)
