"""The line that shows a running training fits the terminal."""

import io

from rich.console import Console

from convscope.cli.show import BAR_WIDTH, Screen, fitting

PARTS = ["epoch 100", "loss 0.123", "accuracy 0.987", "12,345 images/s", "lr 1.2e-03", "top5 1.000"]


def test_parts_that_do_not_fit_are_left_out_whole():
    assert fitting(PARTS, 200) == "epoch 100  loss 0.123  accuracy 0.987  12,345 images/s  lr 1.2e-03  top5 1.000"
    assert fitting(PARTS, 48) == "epoch 100  loss 0.123  accuracy 0.987"
    assert fitting(PARTS, 12) == "epoch 100"
    assert fitting(PARTS, 3) == ""


def test_the_live_line_is_at_most_as_wide_as_the_terminal():
    for width in (80, 100, 120):
        screen = Screen()
        screen.console = Console(file=io.StringIO(), width=width, force_terminal=True)
        details = fitting(PARTS, width - BAR_WIDTH)
        screen.bars.update(screen.training, total=1.0, completed=0.5, visible=True, details=details)
        shown = io.StringIO()
        Console(file=shown, width=300).print(screen.bars.get_renderable())
        line = next(text for text in shown.getvalue().splitlines() if "training" in text)
        assert len(line.rstrip()) <= width
