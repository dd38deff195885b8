"""The report shows gradients and activations by depth."""

import re

from convscope.files import append_line
from convscope.reports.layers_section import layers_chart
from convscope.runs.folder import RunFolder


def folder_with(tmp_path, norms, epochs=(1, 2, 3, 4)):
    folder = RunFolder(tmp_path)
    for epoch in epochs:
        layers = [
            {
                "name": f"conv{i}",
                "gradient_norm": norm,
                "variance": 1.0 if epoch in (1, 2, 4) else None,
                "weight_norm": 1.0,
            }
            for i, norm in enumerate(norms)
        ]
        layers.append({"name": "act", "gradient_norm": None, "variance": 1.0, "weight_norm": None})
        std = 1.0 if epoch in (1, 2, 4) else None
        append_line(
            folder.events_file, {"event": "layers_measured", "epoch": epoch, "layers": layers, "input_std": std}
        )
    return folder


def test_the_first_the_middle_and_the_last_epoch_are_drawn(tmp_path):
    chart = layers_chart(folder_with(tmp_path, [1e-6, 1e-4, 1e-2, 1.0]))
    assert re.findall(r"epoch \d", chart) == ["epoch 1", "epoch 2", "epoch 4"]
    assert "gradient norm of the weights" in chart


def test_two_layers_have_no_depth(tmp_path):
    assert layers_chart(folder_with(tmp_path, [1.0, 1.0])) == ""


def test_a_run_without_measurements_has_no_chart(tmp_path):
    assert layers_chart(RunFolder(tmp_path)) == ""
