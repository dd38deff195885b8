"""What lecture notes on convolutional networks name, each with the command or test that shows it, and the result.

    python benchmarks/rows.py > docs/benchmarks/rows.md

A command is run in this process; of its output the line that matches is shown. A test is shown with its result.
"""

import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from pathlib import Path

from typer.testing import CliRunner

from convscope.cli.main import app

HOME = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Row:
    """One subject: a convscope command with the part of its output to show, or names of tests."""

    subject: str
    command: str = ""
    shown: str = ""  # regular expression
    tests: tuple[str, ...] = ()


def tested(subject: str, *tests: str) -> Row:
    """A row that tests show."""
    return Row(subject, tests=tests)


def total(parameters: str) -> str:
    """The pattern of the last row of a summary, whose first number is that of its layers where layers are folded."""
    return rf"total +([\d,]+ +)?{parameters}"


DATA = (
    tested("Zero mean and unit variance", "test_the_training_set_is_standard_after_normalising"),
    tested(
        "Split 80/10/10, without leaks",
        "test_a_thousand_images_are_split_800_100_100_and_80_10_10_in_each_class",
        "test_the_same_seed_gives_the_same_split_in_any_order_of_files",
        "test_duplicates_and_groups_stay_in_one_split",
    ),
    tested(
        "Augmentation moves boxes and masks",
        "test_a_mirrored_box_lies_at_the_width_less_x",
        "test_a_mask_warped_by_nearest_neighbour_keeps_its_values",
    ),
    tested(
        "Networks in one, two and three dimensions",
        "test_networks_of_one_and_three_dimensions_are_summarised_and_drawn",
        "test_the_network_is_one_dimensional_and_its_input_has_a_mask",
        "test_the_network_is_three_dimensional",
        "test_tones_are_learned_from_spectrograms",
    ),
    tested(
        "Small and large sets: the last layer, several, then all", "test_the_plan_is_chosen_from_the_images_of_a_class"
    ),
    tested(
        "If columns can be swapped, convolutions do not help",
        "test_positions_that_matter_are_distinguished_from_others_by_hand",
    ),
    tested(
        "A data set that is easier than it should be",
        "test_a_class_that_is_darker_is_a_shortcut_with_the_cue_and_the_class",
        "test_a_network_that_uses_a_shortcut_has_two_findings",
    ),
    tested(
        "Class imbalance",
        "test_balanced_weights_are_images_over_classes_times_images_of_the_class",
        "test_class_weights_make_the_loss_a_weighted_mean",
    ),
)
LAYERS = (
    Row("Convolution by hand", "convolve {image} --kernel 1,0,1;0,1,0;1,0,1", r"\(0, 0\).*"),
    Row("Convolution in colour", "convolve {colour} --kernel identity|blur|edge", r"\(0, 0\).*"),
    tested("Edge and blur kernels", "test_the_edge_kernel_is_zero_on_a_constant_image_and_blur_keeps_the_mean"),
    Row("Output size", "arithmetic output 227 --size 11 --stride 4", r".*= 55"),
    Row("Output size that is no integer", "arithmetic output 277 --size 11 --stride 4", r".*67\.5.*"),
    Row("Same padding", "arithmetic output 32x32 --size 5 --padding same", r"32 - .*"),
    tested("Repeated edges", "test_edge_padding_keeps_a_constant_border_and_zeros_do_not"),
    Row("A filter has the depth of its input", "arithmetic weights 3x32x32 --filters 10 --size 5", r"one filter.*"),
    tested("Number of filters", "test_filters_are_from_4_to_1024_and_start_at_64"),
    Row("Parameters of a layer", "inspect lenet", r".*\(5x5x1 \+ 1\)x6 = 156"),
    Row("Shared against dense weights", "arithmetic weights 1x28x28 --filters 8 --size 3", r".*times as many"),
    tested("Gradient of a shared weight", "test_the_gradient_of_a_shared_weight_is_the_sum_over_all_positions"),
    tested(
        "Max pooling, overlapping too",
        "test_pools_have_no_parameters_and_give_the_values_worked_by_hand",
        "test_the_window_of_every_pool_can_be_chosen_and_still_halves_the_maps",
    ),
    tested("Gradient of max pooling", "test_max_pooling_has_no_parameters_and_routes_the_gradient_to_the_maximum"),
    tested("Tolerance of pooling to shifts", "test_a_shift_of_one_pixel_inside_a_window_leaves_the_maximum"),
    Row("Global average pooling", "inspect vgg16 --set head=gap --set widths=[]", total("15,227,688")),
    Row("1x1 bottleneck", "arithmetic bottleneck 480x14x14 --filters 48 --size 5 --narrow 16", r"together.*"),
    Row("Two 3x3 for one 5x5", "arithmetic factors 5", r"2 stacked.*"),
    Row("Decomposition into lines", "arithmetic factors 7", r"7x1.*"),
    tested("Rank of trained kernels", "test_the_trained_kernels_of_a_model_are_described"),
    tested(
        "Receptive field",
        "test_receptive_fields_grow_with_depth_as_worked_by_hand",
        "test_the_receptive_field_of_every_family_is_the_support_of_the_gradient",
    ),
    tested("Activations", "test_activations_have_their_known_ranges", "test_every_activation_can_be_chosen"),
    tested("Without activations layers are linear", "test_without_activations_layers_are_linear_and_cannot_learn_xor"),
    tested("Dead units", "test_a_planted_bias_of_minus_10_is_detected_as_dead_within_an_epoch"),
    tested(
        "Batch norm",
        "test_batch_norm_keeps_nine_tenths_of_its_running_statistics",
        "test_the_output_in_evaluation_does_not_depend_on_the_other_images",
    ),
    tested("Local response norm", "test_the_response_norm_uses_the_papers_sum_and_not_pytorchs_mean"),
    tested("Dropout", "test_dropout_preserves_the_mean_and_is_off_in_evaluation"),
    tested("Softmax", "test_the_probabilities_of_a_classifier_sum_to_one"),
    tested(
        "Residual connections and the plain twin",
        "test_a_residual_block_starts_as_the_identity",
        "test_a_plain_network_has_the_layers_of_the_residual_one_and_no_additions",
        "test_gradients_reach_the_first_layer_of_50_residual_layers_and_not_of_50_plain_ones",
    ),
    tested(
        "Squeeze and excite",
        "test_squeeze_excite_gates_are_between_zero_and_one_and_zero_disables_a_channel",
        "test_gates_can_be_in_named_stages",
        "test_each_block_has_a_figure_with_a_row_per_class_or_per_image",
    ),
    tested("Inception block", "test_an_inception_block_concatenates_four_branches_of_the_same_size"),
    tested(
        "Auxiliary classifiers",
        "test_auxiliary_classifiers_increase_the_gradient_of_early_layers",
        "test_auxiliary_classifiers_are_not_saved",
    ),
    tested("Unpooling", "test_unpooling_puts_values_at_the_pooling_indices"),
    Row(
        "Transposed convolution", "arithmetic transposed 2 --size 3 --stride 2 --padding 1 --output-padding 1",
        r"\(2 - 1\).*",
    ),
)  # fmt: skip
NETWORKS = (
    Row("LeNet", "inspect lenet", total("61,706")),
    Row("AlexNet, 2012", "inspect alexnet_2012", total("60,965,224")),
    Row("AlexNet, one GPU", "inspect alexnet_one_gpu", total("62,378,344")),
    Row("AlexNet, pretrained form", "inspect alexnet", total("61,100,840")),
    Row("VGG-16", "inspect vgg16", r"parameters by group: 89\.4 %.*"),
    Row("GoogLeNet", "inspect googlenet", total("6,624,904")),
    Row("Inception v3 with its auxiliary classifier", "inspect inception_v3 --set auxiliary=[2]", total("27,161,264")),
    Row("ResNet-34", "inspect resnet34", total("21,797,672")),
    Row("ResNet-152", "inspect resnet152", total("60,192,808")),
    tested(
        "ResNets of 200 and 1,000 layers",
        "test_a_small_resnet_of_200_layers",
        "test_a_resnet_of_a_thousand_layers_builds",
    ),
    Row("SE-ResNet-50", "inspect se_resnet50", total("28,088,024")),
    Row("EfficientNet-Lite0", "inspect efficientnet_lite0", total("4,652,008")),
    Row("U-Net", "inspect unet", total("31,030,658")),
    tested("Encoder and head", "test_encoder_and_head_compose_to_the_network_at_any_size"),
    tested("A network from a file", "test_twenty_lines_define_a_network", "test_errors_name_the_line_the_shapes"),
    tested("MLP baseline", "test_plain_baselines_and_a_trained_encoder_are_run_on_the_same_sets"),
    tested(
        "Several crops",
        "test_the_average_of_five_crops_equals_that_computed_by_hand",
        "test_no_view_is_mirrored_where_training_did_not_mirror",
    ),
    tested("Top-5 accuracy", "test_top_5_counts_the_five_highest_logits_and_is_left_out_up_to_five_classes"),
)


def example_files(folder: Path) -> dict[str, Path]:
    """Write the arrays of the convolution rows: the 7x7 image of the lecture notes, and two channels and a third."""
    image, colour = folder / "image.txt", folder / "colour.txt"
    image.write_text(
        "0 1 1 1 0 0 0\n0 0 1 1 1 0 0\n0 0 0 1 1 1 0\n0 0 0 1 1 0 0\n0 0 1 1 0 0 0\n0 1 1 0 0 0 0\n1 1 0 0 0 0 0\n"
    )
    colour.write_text("\n\n".join("\n".join(f"{value} {value} {value}" for _ in range(3)) for value in (10, 20, 30)))
    return {"image": image, "colour": colour}


def outcome_of_command(row: Row, files: dict[str, Path]) -> str:
    """Run the command; return the part of its output to show."""
    words = [word.format(**files) for word in row.command.split()]
    result = CliRunner().invoke(app, words)
    found = re.search(row.shown, result.stdout) if result.exit_code == 0 else None
    return " ".join(found.group().split()) if found else f"FAILED: {result.output.strip()[-200:]} {result.exception}"


def outcomes_of_tests(names: list[str]) -> dict[str, str]:
    """Run tests whose names begin with `names`; return for each how many passed and failed."""
    files = [
        str(file) for file in sorted((HOME / "tests").rglob("test_*.py"))
        if any(f"def {name}" in file.read_text(encoding="utf-8") for name in names)
    ]  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        chosen = " or ".join(names)
        words = [sys.executable, "-m", "pytest", "-q", "-k", chosen, f"--junitxml={report}", *files]
        subprocess.run(words, cwd=HOME, stdout=subprocess.DEVNULL, check=False)
        cases = [(case.get("name", ""), len(case) > 0) for case in ElementTree.parse(report).iter("testcase")]
    results = {}
    for name in names:
        bad = [failed for case, failed in cases if case.startswith(name)]
        results[name] = "FAILED" if any(bad) or not bad else f"passed ({len(bad)})" if len(bad) > 1 else "passed"
    return results


def main() -> None:
    """Print the table."""
    rows = {"Data": DATA, "Layers": LAYERS, "Networks": NETWORKS}
    tests = outcomes_of_tests(sorted({name for part in rows.values() for row in part for name in row.tests}))
    print("# The subjects of the lecture notes\n")
    print(__doc__.splitlines()[0], "\nGenerated by `python benchmarks/rows.py`.", sep="\n")
    with tempfile.TemporaryDirectory() as folder:
        files = example_files(Path(folder))
        for heading, part in rows.items():
            print(f"\n## {heading}\n\n| subject | command or test | result |\n|---|---|---|")
            for row in part:
                if row.command:
                    shown = row.command.format(image="image.txt", colour="colour.txt").replace("|", "\\|")
                    print(f"| {row.subject} | `convscope {shown}` | {outcome_of_command(row, files)} |")
                for name in row.tests:
                    print(f"| {row.subject} | `{name}` | {tests[name]} |")


if __name__ == "__main__":
    main()
