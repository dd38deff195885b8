"""Tables with a column of images and a column of their mask files."""

from convscope.datasets.cells import is_missing
from convscope.datasets.dataset import Dataset, Skipped
from convscope.datasets.targets.masks import MASKS
from convscope.layouts.masks.names import read_names
from convscope.layouts.masks.reading import MaskedImage, add_masked_images
from convscope.layouts.tables.column_words import plain_name
from convscope.layouts.tables.content import TableContent, new_builder
from convscope.layouts.tables.rows import TableRow

_WORDS = frozenset(("mask", "masks", "segmentation", "annotation", "gt"))
_SAMPLE = 20  # rows in which a file is looked for


def mask_column(content: TableContent) -> str | None:
    """The column that names mask files: by a word such as mask in its name, and by the files that exist."""
    names = content.columns.labels or (*content.columns.free, *content.columns.left_out)
    for name in (name for name in names if _WORDS & set(plain_name(name).split("_"))):
        rows = [row for row in content.table.rows if not is_missing(row[name])][:_SAMPLE]
        if any(_is_mask(content, row, name) for row in rows):
            return name
    return None


def _is_mask(content: TableContent, row: TableRow, name: str) -> bool:
    """Whether a cell names a file other than the image of the row: numbers may be the names of images by chance."""
    mask, image = (
        content.lookup.find(row[column].strip(), "", row.file.folder) for column in (name, content.columns.image)
    )
    return not isinstance(mask, str) and mask != image


def read_table_masks(content: TableContent) -> Dataset:
    """The images of a table with their masks; images without a mask are skipped, those in several rows have several.

    Raises:
        DataError: there is no column of masks, or no mask can be used.
    """
    column = mask_column(content)
    if column is None:
        raise content.error("no column of mask files; name it mask, and put the files beside the table")
    builder = new_builder(content, MASKS.name)
    builder.notes += [content.used(mask=column), *content.unused((column,))]
    found: dict[str, MaskedImage] = {}
    for row in content.files(builder.skipped):
        mask = content.lookup.find(row.row[column].strip(), row.split, row.row.file.folder)
        if isinstance(mask, str):
            builder.skipped.append(Skipped(row.name, f"its mask {row.row[column].strip()[:100] or 'is blank'}: {mask}"))
            continue
        before = found[row.name].masks if row.name in found else ()
        found[row.name] = MaskedImage(row.listed(), tuple(dict.fromkeys((*before, mask))))
    if not found:
        first = builder.skipped[0]
        raise content.error(f"no row has an image and its mask; the first, {first.name}: {first.why}")
    add_masked_images(builder, list(found.values()), read_names(content.lookup.folder))
    builder.notes += [*content.lookup.notes(), *content.notes]
    return builder.build()
