"""Results of jobs, cached in the run folder."""

import hashlib
import io
import json
import shutil
from pathlib import Path
from typing import Any

from PIL import Image

from convscope.analysis.method import Method, MethodSettings
from convscope.analysis.result import AnalysisResult, Findings, write_result
from convscope.explorer.backend.computations import PREDICTIONS, JobContext, findings
from convscope.explorer.backend.image_sets import ImageSets
from convscope.files import atomic_write, to_plain
from convscope.progress import Progress

MAX_RESULTS = 200  # in a run folder
DATA = "data.json"
TILES = "tiles"


def load_cached(folder: Path, method: Method, settings: MethodSettings, version: str) -> AnalysisResult | None:
    """Return the cached result of the same network; None if there is none."""
    home = _result_folder(folder, method, settings, version)
    file = home / f"{method.name}.json"
    try:
        numbers = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    pictures = tuple(home / name for name in numbers.get("pictures", []))
    if method is PREDICTIONS or not all(path.exists() for path in (*pictures, home / DATA)):
        return None
    return AnalysisResult(method.name, pictures, file, numbers, tuple(numbers["summary"]))


def compute(context: JobContext, method: Method, settings: MethodSettings, on_progress: Progress) -> AnalysisResult:
    """Run a method and cache its result in the run.

    Raises:
        ConvscopeError: as the method raises it; an exception of `on_progress` cancels the computation.
    """
    found = findings(context, method, settings, on_progress)
    folder = context.run.folder.explain_dir / "explorer"
    home = _result_folder(folder, method, settings, context.loaded_model.version)
    result = write_result(found, method.name, settings.model_dump(mode="json"), home)
    _write_page_data(found, home)
    _delete_oldest(folder)
    return result


def page_data(result: AnalysisResult) -> dict[str, Any]:
    """Return the data of a result for the page.

    Raises:
        OSError: the result was deleted.
    """
    content: dict[str, Any] = json.loads((result.numbers_file.parent / DATA).read_text(encoding="utf-8"))
    return content


def tiles(result: AnalysisResult) -> dict[str, Path]:
    """Return the tiles of a result by name."""
    return {path.stem: path for path in sorted((result.numbers_file.parent / TILES).glob("*.png"))}


def with_records(data: Any, image_sets: ImageSets, split: str | None = None) -> Any:
    """Return the data with image names replaced by image records, if the data name their split."""
    if isinstance(data, list):
        return [with_records(one, image_sets, split) for one in data]
    if not isinstance(data, dict):
        return data
    split = data.get("split", split)
    found = {name: with_records(value, image_sets, split) for name, value in data.items()}
    index = image_sets.index_of(split, data["image"]) if split and isinstance(data.get("image"), str) else None
    if index is not None and split:
        found["image"] = image_sets.record(split, index)
    return found


def _write_page_data(found: Findings, home: Path) -> None:
    for name, picture in found.tiles.items():
        content = io.BytesIO()
        Image.fromarray(picture).save(content, "PNG")
        atomic_write(home / TILES / f"{name}.png", content.getvalue())
    atomic_write(home / DATA, json.dumps(to_plain(found.data)).encode())


def _result_folder(folder: Path, method: Method, settings: MethodSettings, version: str) -> Path:
    key = json.dumps([version, settings.model_dump(mode="json")], sort_keys=True)
    return folder / f"{method.name}-{hashlib.blake2b(key.encode(), digest_size=8).hexdigest()}"


def _delete_oldest(folder: Path) -> None:
    """Delete the oldest results beyond `MAX_RESULTS`."""
    results = sorted((one for one in folder.iterdir() if one.is_dir()), key=lambda one: one.stat().st_mtime)
    for old in results[:-MAX_RESULTS]:
        shutil.rmtree(old, ignore_errors=True)
