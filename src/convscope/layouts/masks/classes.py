"""Classes of masks: names and values, and the value of unlabelled pixels."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from convscope.datasets.targets.mask_files import IGNORE
from convscope.errors import DataError
from convscope.layouts.masks.coding import Coding
from convscope.layouts.masks.names import NamesFile

MOST_CLASSES = IGNORE - 1
_SHOWN_VALUES = 6
_VOID = 0xE0E0C0  # the colour of unlabelled pixels in Pascal VOC, at the edges of objects
_NO_VALUE = -1


@dataclass
class MaskClasses:
    """The classes of a set of masks."""

    names: tuple[str, ...]
    values: tuple[int, ...]
    ignore: int | None = None
    notes: list[str] = field(default_factory=list)


def choose_classes(coding: Coding, listed: NamesFile | None, ignore: int | None) -> MaskClasses:
    """Names and values from the values that occur and a file of names.

    Args:
        coding: the values in the masks.
        listed: names, and perhaps colours.
        ignore: the value of unlabelled pixels; None: detected.

    Raises:
        DataError: there are fewer than two classes, or more than masks can have.
    """
    notes: list[str] = []
    if ignore is None:
        ignore, because = _unlabelled(coding, listed)
        if because:
            shown = f"#{ignore:06x}" if coding.in_colour else ignore
            notes.append(
                f"the mask value {shown} is read as unlabelled, because {because}; set data.ignore to "
                f"{1 << 24 if coding.in_colour else IGNORE + 1} to read it as a class"
            )
    found = [value for value in coding.found if value != ignore]
    if len(found) > MOST_CLASSES:
        raise DataError(
            f"the masks hold {len(found)} values, more than {MOST_CLASSES} classes; if they number objects, replace "
            "them by class values"
        )
    if listed is not None:
        values, note = _listed_values(coding, listed, found)
        return MaskClasses(listed.names, values, ignore, [*notes, *note])
    if len(found) < 2:
        content = f"the value {_shown(found[0], coding)} only" if found else "no value"
        raise DataError(f"the masks hold {content}; at least two classes are needed")
    if len(found) > 2 and IGNORE in found and not coding.in_colour:
        notes.append("the mask value 255 is read as a class; if it means unlabelled, set data.ignore to 255")
    names = coding.names or tuple(_shown(value, coding) for value in found)
    gaps = found != list(range(len(found))) and (len(found) > len((0, 1)) or found[0] > 0)
    if gaps and not coding.in_colour and not coding.names:
        shown = ", ".join(names[:_SHOWN_VALUES]) + (", ..." if len(names) > _SHOWN_VALUES else "")
        notes.append(f"the mask values are {shown}: each is a class of this name; classes.txt may name them in order")
    return MaskClasses(names, tuple(found), ignore, notes)


def _shown(value: int, coding: Coding) -> str:
    return f"{value:06x}" if coding.in_colour else str(value)


def _listed_values(coding: Coding, listed: NamesFile, found: list[int]) -> tuple[tuple[int, ...], list[str]]:
    """The value of each listed name, with a note where that is a guess."""
    count = len(listed.names)
    if listed.colours and coding.in_colour:
        return listed.colours, []
    if listed.colours and coding.palette:
        of_colour = {colour: value for value, colour in sorted(coding.palette.items(), reverse=True)}
        if {coding.palette.get(value) for value in found} <= set(listed.colours):
            return _distinct(of_colour, listed.colours), []
    greys = tuple(colour & 255 for colour in listed.colours if colour == (colour & 255) * 0x010101)
    if len(greys) == count and not set(found) <= set(range(count)):
        return greys, []
    if len(found) == count and max(found) >= count:
        pairs = ", ".join(
            f"{_shown(value, coding)} is {name}" for value, name in list(zip(found, listed.names, strict=True))[:3]
        )
        note = f"{listed.file} names the mask values in ascending order: {pairs}{', ...' if count > 3 else ''}"
        return tuple(found), [note]
    return tuple(range(count)), []


def _distinct(of_colour: Mapping[int, int], colours: tuple[int, ...]) -> tuple[int, ...]:
    """The value of each colour; a different value that no mask has for each colour that is missing."""
    return tuple(of_colour.get(colour, _NO_VALUE - i) for i, colour in enumerate(colours))


def _unlabelled(coding: Coding, listed: NamesFile | None) -> tuple[int | None, str]:
    """The value that means unlabelled, and why; (None, "") if there is none."""
    found = set(coding.found)
    if coding.in_colour:
        if _VOID in found and found <= {*_voc_colours(), _VOID} and not (listed and _VOID in listed.colours):
            return _VOID, "the masks have the colours of Pascal VOC"
        return None, ""
    others = found - {IGNORE}
    if IGNORE not in found or not others or (listed is not None and len(listed.names) > IGNORE):
        return None, ""
    all_named = listed is not None and len(listed.names) == len(found) == len((0, IGNORE))  # background and an object
    if listed is not None and others <= set(range(len(listed.names))) and not all_named:
        return IGNORE, f"{listed.file} has {len(listed.names)} names"
    if coding.palette.get(IGNORE) == _VOID:
        return IGNORE, "the masks have the palette of Pascal VOC"
    together = any(not isinstance(one, str) and {IGNORE} < one - {0} for one in coding.values)
    if listed is None and others == set(range(len(others))) and len(others) > 1 and together:
        return IGNORE, f"the other values are 0 to {max(others)}"
    return None, ""


def _voc_colours() -> list[int]:
    """The colours of 256 classes, of which bits are taken alternately for red, green and blue."""
    colours = []
    for index in range(256):
        red = green = blue = 0
        for bit in range(8):
            part = index >> (3 * bit)
            red, green, blue = (
                channel | ((part >> shift) & 1) << (7 - bit) for channel, shift in ((red, 0), (green, 1), (blue, 2))
            )
        colours.append((red << 16) + (green << 8) + blue)
    return colours
