"""A data sheet as one picture."""

from collections.abc import Sequence

from PIL import Image, ImageDraw

from convscope.analysis.layout import font, shortened, sized, wrapped
from convscope.reports.data_sheet import Color, DataSheet, Pixels, SheetSection, Tile

PAPER: Color = (255, 255, 255)
INK: Color = (31, 36, 40)
SOFT: Color = (104, 112, 122)
LINE: Color = (228, 229, 231)
TAG: Color = (232, 238, 250)
TAG_INK: Color = (32, 66, 138)
MARGIN, GAP = 28, 10
SIDE, PER_LINE = 192, 8  # the longer side of a picture at most, and pictures on a line
LEAST = 720  # width of the page without margins
LABEL, TAG_LINE = 17, 21  # heights of a line


def sheet_picture(sheet: DataSheet) -> Image.Image:
    """Draw the page: a title, then the sections, each with rows of pictures of one size."""
    strips = [[strip for row in section.rows for strip in _strips(row)] for section in sheet.sections]
    width = max(LEAST, *(strip.width for some in strips for strip in some))
    parts = [_heading(sheet, width)]
    for section, some in zip(sheet.sections, strips, strict=True):
        parts += [_section_heading(section, width), *some]
    height = sum(part.height for part in parts)
    page = Image.new("RGB", (width + 2 * MARGIN, height + 2 * MARGIN), PAPER)
    top = MARGIN
    for part in parts:
        page.paste(part, (MARGIN, top))
        top += part.height
    return page


def _heading(sheet: DataSheet, width: int) -> Image.Image:
    lines = wrapped(sheet.note, width, "note")
    canvas = Image.new("RGB", (width, 34 + 19 * len(lines) + (30 if sheet.legend else 0)), PAPER)
    pen = ImageDraw.Draw(canvas)
    pen.text((0, 0), shortened(sheet.title, width, "heading"), fill=INK, font=font("heading"))
    for number, line in enumerate(lines):
        pen.text((0, 34 + 19 * number), line, fill=SOFT, font=font("note"))
    left, top = 0, 34 + 19 * len(lines) + 8
    for name, color in sheet.legend:
        pen.rounded_rectangle((left, top, left + 14, top + 14), 3, fill=color, outline=LINE)
        pen.text((left + 20, top), name, fill=INK, font=font("note"))
        left += 20 + int(font("note").getlength(name)) + 22
    return canvas


def _section_heading(section: SheetSection, width: int) -> Image.Image:
    lines = wrapped(section.note, width, "note") if section.note else []
    head = Image.new("RGB", (width, 52 + 19 * len(lines)), PAPER)
    pen = ImageDraw.Draw(head)
    pen.line((0, 14, width, 14), fill=LINE)
    pen.text((0, 24), shortened(section.title, width, "title"), fill=INK, font=font("title"))
    for number, line in enumerate(lines):
        pen.text((0, 47 + 19 * number), line, fill=SOFT, font=font("note"))
    return head


def _strips(tiles: Sequence[Tile]) -> list[Image.Image]:
    """The tiles of a row, side by side, on as many lines as they need."""
    if not tiles:
        return []
    pictures = [_fitted(tile.picture) for tile in tiles]
    side = max(96, *(picture.shape[1] for picture in pictures))
    starts = range(0, len(tiles), PER_LINE)
    return [_strip(tiles[i : i + PER_LINE], pictures[i : i + PER_LINE], side) for i in starts]


def _strip(tiles: Sequence[Tile], pictures: Sequence[Pixels], side: int) -> Image.Image:
    tall = max(picture.shape[0] for picture in pictures)
    tags = [_tag_lines(tile.tags, side) for tile in tiles]
    below = TAG_LINE * max(map(len, tags)) + (LABEL if any(tile.name for tile in tiles) else 0)
    canvas = Image.new("RGB", (len(tiles) * (side + GAP) - GAP, tall + below + GAP + 2), PAPER)
    pen = ImageDraw.Draw(canvas)
    for number, (tile, picture, lines) in enumerate(zip(tiles, pictures, tags, strict=True)):
        left, top = number * (side + GAP), tall + 4
        canvas.paste(Image.fromarray(picture), (left, tall - picture.shape[0]))
        for line in lines:
            _draw_tags(pen, line, (left, top))
            top += TAG_LINE
        pen.text((left, top), shortened(tile.name, side, "small"), fill=SOFT, font=font("small"))
    return canvas


def _tag_lines(tags: Sequence[str], side: int) -> list[list[str]]:
    """The tags, on lines that are not wider than the picture."""
    lines: list[list[str]] = []
    used = 0
    for tag in tags:
        text = shortened(tag, side - 12)
        width = int(font("label").getlength(text)) + 16
        if not lines or used + width > side + 4:
            lines.append([])
            used = 0
        lines[-1].append(text)
        used += width
    return lines


def _draw_tags(pen: ImageDraw.ImageDraw, tags: Sequence[str], corner: tuple[int, int]) -> None:
    left, top = corner
    for tag in tags:
        width = int(font("label").getlength(tag)) + 12
        pen.rounded_rectangle((left, top, left + width, top + 17), 5, fill=TAG)
        pen.text((left + 6, top + 1), tag, fill=TAG_INK, font=font("label"))
        left += width + 4


def _fitted(picture: Pixels) -> Pixels:
    """The picture, reduced if it is larger than a tile."""
    height, width = picture.shape[:2]
    return picture if max(height, width) <= SIDE else sized(picture, SIDE)
