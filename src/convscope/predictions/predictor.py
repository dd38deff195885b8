"""A network that predicts any number of files, and writes predictions that are images."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from convscope.errors import ConfigError, DataError
from convscope.files import unique_stems
from convscope.predictions.files import FailedFile
from convscope.predictions.prediction import Answers, Prediction
from convscope.predictions.sources import Source, find_sources

Results = Iterator[Prediction | FailedFile]


@dataclass(frozen=True, eq=False)
class FilePredictor(ABC):
    """A loaded network that predicts files one by one, for more files than fit in memory."""

    task: Answers
    """What the network predicts."""

    @property
    @abstractmethod
    def digest(self) -> str:
        """Changes with the network and its configuration."""

    @abstractmethod
    def items(
        self, sources: Iterable[Source], tta_views: str | None, on_batch: Callable[[int, float], None]
    ) -> Results:
        """Yield one item per source, in order; see `stream`."""

    def stream(
        self,
        files: str | Path | Sequence[str | Path] | Iterator[Source],
        tta_views: str | None = None,
        out: str | Path | None = None,
        on_batch: Callable[[int, float], None] = lambda _images, _seconds: None,
    ) -> Results:
        """Yield one item per file, in order, with few in memory at a time.

        Args:
            files: as for `predict`, also archives of images and patterns such as ``"photos/**/*.jpg"``; or an iterator,
                as `find_sources` returns it.
            tta_views: as for `predict`.
            out: a folder for predictions that are images, one PNG per file, named after it; files of equal names also
                have their folders and endings in it, so none overwrites another.
            on_batch: called with the number of images of each batch, and the seconds to read and predict them.

        Raises:
            ConfigError: see `predict`; or an image would overwrite one of the files.
            DataError: a path does not exist, or `out` cannot be written.
        """
        given = [files] if isinstance(files, str | Path) else files
        found = find_sources(given) if isinstance(given, Sequence) else given
        if out is None:
            return self.items(found, tta_views, on_batch)
        known = list(found)
        items = self.items(known, tta_views, on_batch)
        return _with_images(items, [Path(str(one)) for one in known], Path(out))


def _with_images(items: Results, files: Sequence[Path], folder: Path) -> Results:
    """Write the images of the predictions as they arrive, and yield the predictions with the names of the images."""
    stems = [folder / stem for stem in unique_stems(files)]
    inputs = {file.resolve() for file in files}
    clash = next((stem for stem in stems if stem.with_name(f"{stem.name}.png").resolve() in inputs), None)
    if clash is not None:
        raise ConfigError(
            f"{clash}.png: is one of the images to predict and would be overwritten; choose another folder"
        )
    return _saved(items, stems, folder)


def _saved(items: Results, stems: Sequence[Path], folder: Path) -> Results:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for item, stem in zip(items, stems, strict=True):
            path = None if isinstance(item, FailedFile) else item.save_image(stem)
            yield item if path is None or isinstance(item, FailedFile) else replace(item, saved=str(path))
    except OSError as error:
        raise DataError(f"{folder}: cannot be written ({error.strerror}); choose another folder") from error
