"""Decides what the codes of all mask files of a set mean: which of them are the same value, and which are noise."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from convscope.datasets.targets.mask_files import COLOUR, TRANSPARENT
from convscope.layouts.masks.noise import LossyError, nearest_of_two
from convscope.layouts.masks.survey import COLOURED, GREY, INDEX, MaskSurvey

_FOREIGN = "has the colour {}, which the palette of the other masks lacks"
_DIFFERENT_COUNTS, _MANY_OBJECTS = 3, 6  # of objects in masks that number them
_JPEG = "is a JPEG in colour, which changes values; save it as PNG"


@dataclass(frozen=True)
class Coding:
    """How codes become values."""

    aliases: dict[int, int]
    """Code -> value, for codes that differ from their value."""
    by_colour: bool
    """Whether palette files are read by the colours of their palettes."""
    values: list[frozenset[int] | str]
    """The values in each file, or why it cannot be used."""
    names: tuple[str, ...] = ()
    """The names of the values in ascending order, if the coding knows them."""
    palette: dict[int, int] = field(default_factory=dict)
    """Value -> 0xRRGGBB of a palette that all palette files share."""
    notes: list[str] = field(default_factory=list)

    @property
    def found(self) -> list[int]:
        """All values, in ascending order."""
        return sorted({value for values in self.values if not isinstance(values, str) for value in values})

    @property
    def in_colour(self) -> bool:
        """Whether values are 0xRRGGBB."""
        return any(COLOUR <= code < TRANSPARENT and value > 255 for code, value in self.aliases.items())


def choose_coding(surveys: Sequence[MaskSurvey | str]) -> Coding:
    """The coding of a set of mask files.

    Raises:
        LossyError: the values are those of a JPEG or of a smoothed resize, and do not lie near two values.
    """
    files = [_JPEG if isinstance(one, MaskSurvey) and one.is_jpeg and _is_colourful(one) else one for one in surveys]
    usable = _usable(files)
    by_colour, notes = _by_colour(usable)
    if by_colour:
        files = [_in_colours(one) if isinstance(one, MaskSurvey) and one.encoding == INDEX else one for one in files]
        usable = _usable(files)
    palette = _shared_palette(usable) or {}
    aliases = _colour_aliases(usable, palette, notes)
    _read_transparency(usable, aliases, notes)
    reasons: dict[int, str] = {}
    if not palette:
        near = nearest_of_two(files, aliases)
        aliases.update(near.aliases)
        notes += near.notes
        reasons = near.reasons
    values = [reasons.get(i) or _values(one, aliases) for i, one in enumerate(files)]
    coding = Coding(aliases, by_colour, values, palette=palette, notes=notes)
    return _one_object_value(coding)


def _usable(files: Iterable[MaskSurvey | str]) -> list[MaskSurvey]:
    return [one for one in files if isinstance(one, MaskSurvey)]


def _values(file: MaskSurvey | str, aliases: dict[int, int]) -> frozenset[int] | str:
    if isinstance(file, str):
        return file
    foreign = [code for code in file.counts if code >= COLOUR and code not in aliases]
    if foreign:
        return _FOREIGN.format(f"#{foreign[0] - COLOUR:06x}")
    return frozenset(aliases.get(code, code) for code in file.counts)


def _is_colourful(file: MaskSurvey) -> bool:
    """Whether a file has a colour that is not grey."""
    return any(COLOUR <= code < TRANSPARENT and (code - COLOUR) != (code & 255) * 0x010101 for code in file.counts)


def _by_colour(files: list[MaskSurvey]) -> tuple[bool, list[str]]:
    """Whether the colours of palettes tell the classes and not their indices, with a note."""
    indexed = [file for file in files if file.encoding == INDEX]
    if not indexed:
        return False, []
    if _shared_palette(files) is None:
        return True, ["the palettes of the masks differ, so their colours are the classes, not their indices"]
    greys = {code & 255 for file in files if file.encoding != INDEX and not _is_colourful(file) for code in file.counts}
    colours = {colour for file in indexed for colour in file.colours.values()}
    indices = {index for file in indexed for index in file.counts}
    all_grey = all(colour == (colour & 255) * 0x010101 for colour in colours)
    if all_grey and greys and not greys <= indices and greys <= {colour & 255 for colour in colours}:
        return True, ["palette masks are read by their greys, as the other masks hold these greys"]
    return False, []


def _shared_palette(files: list[MaskSurvey]) -> dict[int, int] | None:
    """Index -> colour over all palette files; None if an index that occurs has two colours."""
    whole: dict[int, int] = {}
    used: dict[int, int] = {}
    for file in files:
        if file.encoding == INDEX:
            whole = {**file.palette, **whole}
            for index, colour in file.colours.items():
                if used.setdefault(index, colour) != colour:
                    return None
    return {**whole, **used}


def _in_colours(file: MaskSurvey) -> MaskSurvey:
    counts: Counter[int] = Counter()
    for index, count in file.counts.items():
        counts[COLOUR + file.palette.get(index, 0)] += count
    return replace(file, encoding=COLOURED, counts=dict(counts), between={}, palette={})


def _colour_aliases(files: list[MaskSurvey], palette: dict[int, int], notes: list[str]) -> dict[int, int]:
    """The value of each colour: its index in the palette, else its grey, else 0xRRGGBB if any file is in colour."""
    coloured = [file for file in files if file.encoding == COLOURED]
    if palette:
        aliases = {COLOUR + colour: index for index, colour in sorted(palette.items(), reverse=True)}
        if coloured:
            count = "mask in colour is" if len(coloured) == 1 else "masks in colour are"
            notes.append(f"{len(coloured):,} {count} read by the palette of the others")
        return {**aliases, **_luminances(files, palette)}
    codes = {code for file in files for code in file.counts}
    colours = {code for code in codes if COLOUR <= code < TRANSPARENT}
    if any(_is_colourful(file) for file in coloured):
        return {
            **{code: code * 0x010101 for code in codes if 0 <= code < 256},
            **{code: code - COLOUR for code in colours},
        }
    return {code: code & 255 for code in colours}


def _luminances(files: list[MaskSurvey], palette: dict[int, int]) -> dict[int, int]:
    """Grey -> index where grey files are palette files in the greys of their colours, and not in their indices."""
    used = {index for file in files if file.encoding == INDEX for index in file.counts}
    greys = {code for file in files if file.encoding == GREY for code in file.counts}
    of_grey = {_luminance(palette.get(index, 0)): index for index in sorted(used, reverse=True)}
    taken = {grey for grey in greys & used if of_grey.get(grey) != grey}
    if greys <= used or taken or not greys <= set(of_grey):
        return {}
    return {grey: of_grey[grey] for grey in greys}


def _luminance(colour: int) -> int:
    """The grey of a colour as ITU-R 601-2 has it, in Pillow's integers."""
    return ((colour >> 16) * 19595 + (colour >> 8 & 255) * 38470 + (colour & 255) * 7471 + 0x8000) >> 16


def _read_transparency(files: list[MaskSurvey], aliases: dict[int, int], notes: list[str]) -> None:
    """Transparent pixels are background; if opaque ones are black only, these are the objects."""
    clear = [file for file in files if TRANSPARENT in file.counts]
    if not clear:
        return
    opaque = {aliases.get(code, code) for file in files for code in file.counts if code != TRANSPARENT}
    aliases[TRANSPARENT] = 0
    if opaque == {0}:
        aliases |= dict.fromkeys((0, COLOUR), 255)
    many = "mask are" if len(clear) == 1 else "masks are"
    notes.append(
        f"transparent pixels of {len(clear):,} {many} read as background, the value 0; "
        "save masks without transparency to read their colours"
    )


def _one_object_value(coding: Coding) -> Coding:
    """Where some files hold 0 and 1 and others 0 and 255, both mean background and object."""
    sets = [values for values in coding.values if not isinstance(values, str)]
    ones = [values for values in sets if 1 in values]
    full = [values for values in sets if 255 in values]
    if not ones or not full or any(values - {0, 1} for values in ones) or any(values - {0, 255} for values in full):
        return coding
    if any(values - {0, 1, 255} for values in sets):
        return coding
    values = [one if isinstance(one, str) else frozenset(min(value, 1) for value in one) for one in coding.values]
    aliases = {code: min(value, 1) for code, value in coding.aliases.items()} | {255: 1}
    note = f"{len(ones):,} masks hold 0 and 1 and {len(full):,} hold 0 and 255; both are read as background and object"
    return replace(coding, aliases=aliases, values=values, names=("background", "object"), notes=[*coding.notes, note])


def without_object_numbers(coding: Coding) -> Coding:
    """Where each mask numbers its objects, from 1 to another number in each, all of them are one class, object.

    Classes occur together in other combinations: of 1 to K, some are missing in some masks.
    """
    objects = [values - {0} for values in coding.values if not isinstance(values, str)]
    counts = {len(values) for values in objects if values}
    contiguous = all(max(values) == len(values) for values in objects if values)
    if coding.palette or coding.names or coding.in_colour or not contiguous:
        return coding
    if len(counts) < _DIFFERENT_COUNTS or max(counts) < _MANY_OBJECTS:
        return coding
    values = [one if isinstance(one, str) else frozenset(min(value, 1) for value in one) for one in coding.values]
    aliases = {code: min(value, 1) for code, value in coding.aliases.items()}
    aliases |= {value: 1 for value in coding.found if value > 1}
    note = (
        f"the masks number their objects, each from 1 to at most {max(counts)}: these are read as background and "
        "object; add classes.txt with a name for each value if they are classes"
    )
    return replace(coding, aliases=aliases, values=values, names=("background", "object"), notes=[*coding.notes, note])


__all__ = ["Coding", "LossyError", "choose_coding", "without_object_numbers"]
