"""Names of tasks, layouts and kinds of target and input are used only in their own files and registries."""

import ast
from collections import defaultdict
from pathlib import Path

import convscope
from convscope.datasets import INPUT_KINDS, TARGET_KINDS
from convscope.layouts import LAYOUTS
from convscope.tasks import TASKS

ROOT = Path(convscope.__file__).parent
NAMES = {*TASKS, *LAYOUTS, *TARGET_KINDS, *INPUT_KINDS} - {"image", "folder", "text"}  # which are also ordinary words

OWN = {
    **{f"tasks/{name}.py": {name, task.target_kind} for name, task in TASKS.items()},
    "tasks/__init__.py": set(TASKS),
    **{f"datasets/targets/{name}.py": {name} for name in TARGET_KINDS},
    **{
        file.relative_to(ROOT).as_posix(): {name}
        for name in LAYOUTS
        for file in (ROOT / "layouts").rglob(f"{name.replace('-', '_')}.py")
    },
    "layouts/masks/mask_folders.py": {"masks", "labels"},
    "layouts/tables/content.py": {"table"},
    "datasets/inputs/series.py": {"series"},
    "datasets/inputs/sound.py": {"sound"},
    "datasets/inputs/sound_wave.py": {"sound_wave"},
    "datasets/inputs/sound_reading.py": {"sound", "sound_wave"},
    "datasets/inputs/volume.py": {"volume"},
    "datasets/inputs/volume_files.py": {"volume"},
}

# The same words where they name something else: keys of JSON and TOML, methods of the explorer, folders, columns.
OTHER_MEANINGS = {
    "analysis/class_sheet.py": {"classes"},
    "analysis/methods/stimuli.py": {"classes"},
    "bundle/bundle.py": {"classes"},  # the field of `BundleConfig`
    "cli/features.py": {"numbers"},
    "layouts/arrays/arrays.py": {"arrays", "classes", "labels", "masks"},
    "layouts/builtin.py": {"builtin", "masks"},
    "layouts/tables/nested_objects.py": {"boxes", "classes", "labels"},
    "layouts/folders/nested_folders.py": {"nested-folders", "masks", "labels"},
    "layouts/folders/set_names.py": {"classes"},
    "layouts/tables/column_words.py": {"classes", "idx", "labels"},
    "layouts/arrays/idx.py": {"idx", "labels"},
    "layouts/masks/folder_roles.py": {"labels", "masks"},
    "layouts/masks/names.py": {"labels"},
    "layouts/masks/pairs.py": {"labels", "masks"},
    "layouts/tables/masks.py": {"masks"},
    "layouts/boxes/yolo.py": {"yolo", "classes", "labels"},
    "layouts/boxes/yolo_files.py": {"classes", "labels"},
    "datasets/object_items.py": {"classes", "labels"},
    "datasets/objects.py": {"labels"},
    "datasets/series_arrays.py": {"series"},
    "datasets/targets/kind.py": {"classes"},
    "explainers/features/stimuli.py": {"boxes"},
    "explorer/backend/image_sets.py": {"classes"},
    "explorer/backend/label_corrections.py": {"classes"},
    "explorer/backend/summary.py": {"classes"},
    "explorer/jobs.py": {"numbers"},
    "exporters/hub_card.py": {"classes"},
    "exporters/source.py": {"classes"},
    "extras.py": {"sound", "volume"},
    "installation/packages.py": {"sound", "volume"},
    "datasets/inputs/sound_files.py": {"sound"},  # the extra of the package
    "datasets/inputs/dicom_series.py": {"volume"},
    "datasets/inputs/nifti.py": {"volume"},
    "datasets/inputs/volume_geometry.py": {"volume"},
    "lessons/topics/assemble.py": {"classes"},  # keys of the numbers of an exercise
    "lessons/topics/parameters.py": {"classes"},
    "lessons/topics/transfer.py": {"classes"},
    "models/__init__.py": {"table"},
    "models/registry.py": {"classes"},
    "models/toml/blocks.py": {"classes"},
    "models/toml/checks.py": {"classes"},
    "models/toml/toml_network.py": {"classes"},
    "reports/data_table.py": {"classes"},
    "runs/events.py": {"classes"},
    "runs/data_record.py": {"classes"},
    "runs/loaders.py": {"classes"},
    "runs/training_records.py": {"classes"},
    "predictions/labels.py": {"labels"},
    "exported/facts.py": {"classes"},
    "tasks/multilabel.py": {"multilabel", "labels"},
    "tasks/task.py": {"classes"},
    "tasks/restoring.py": {"classes"},
    "tasks/shown_answer.py": {"boxes", "masks", "numbers"},  # keys of the answer in the explorer
}


def names_in(source: str) -> set[str]:
    strings = {node.value for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant)}
    return NAMES & {value for value in strings if isinstance(value, str)}


def test_no_file_but_its_own_and_the_registry_names_a_task_layout_or_kind() -> None:
    wrong: dict[str, set[str]] = defaultdict(set)
    for file in sorted(ROOT.rglob("*.py")):
        name = file.relative_to(ROOT).as_posix()
        found = names_in(file.read_text(encoding="utf-8")) - OWN.get(name, set()) - OTHER_MEANINGS.get(name, set())
        if found:
            wrong[name] = found
    assert dict(wrong) == {}


def test_words_with_other_meanings_are_never_compared() -> None:
    for name in OTHER_MEANINGS:
        tree = ast.parse((ROOT / name).read_text(encoding="utf-8"))
        compared = {
            constant.value
            for node in ast.walk(tree) if isinstance(node, ast.Compare)
            for side in node.comparators for constant in ast.walk(side) if isinstance(constant, ast.Constant)
        }  # fmt: skip
        assert not NAMES & {value for value in compared if isinstance(value, str)} - {"labels", "classes", "table"}, (
            name
        )


def test_a_planted_branch_on_a_task_is_found() -> None:
    assert names_in('if task.name == "segment":\n    pass\n') == {"segment"}
