"""A data sheet as one self-contained HTML page."""

from collections.abc import Sequence
from html import escape

from PIL import Image

from convscope.reports.data_sheet import DataSheet, SheetSection, Tile
from convscope.reports.report import to_data_url

STYLE = """
:root { color-scheme: light dark; --ground: #fff; --ink: #1f2428; --soft: #68707a; --line: #e4e5e7; --tag: #e8eefa; --tag-ink: #20428a; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #15181b; --ink: #e6e8ea; --soft: #99a1aa; --line: #31363b; --tag: #233252; --tag-ink: #b9cdf8; } }
body { margin: 0 auto; max-width: 1360px; padding: 1.8rem; background: var(--ground); color: var(--ink); font: 15px/1.45 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.1rem; margin: 1.6rem 0 0; padding-top: .8rem; border-top: 1px solid var(--line); }
p { color: var(--soft); margin: .2rem 0 .6rem; } .row { display: flex; flex-wrap: wrap; gap: .7rem; margin-bottom: .7rem; align-items: flex-end; }
figure { margin: 0; max-width: 232px; } img { display: block; max-width: 232px; max-height: 232px; image-rendering: pixelated; }
figcaption { font-size: .78rem; color: var(--soft); overflow-wrap: anywhere; max-width: 232px; }
.tag { display: inline-block; background: var(--tag); color: var(--tag-ink); border-radius: 5px; padding: 0 .4rem; margin: .2rem .2rem 0 0; }
.color { display: inline-block; width: .9em; height: .9em; border-radius: 3px; margin: 0 .3em 0 .8em; vertical-align: -.1em; }
"""  # noqa: E501


def sheet_page(sheet: DataSheet) -> str:
    """Return the page: a title, then the sections with their pictures as data URLs; all text is escaped."""
    legend = "".join(
        f'<span class="color" style="background:rgb{color}"></span>{escape(name)}' for name, color in sheet.legend
    )
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(sheet.title)}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}</style></head><body>'
        f"<h1>{escape(sheet.title)}</h1><p>{escape(sheet.note)}</p>{f'<p>{legend}</p>' if legend else ''}"
        f"{''.join(map(_section, sheet.sections))}</body></html>\n"
    )


def _section(section: SheetSection) -> str:
    return f"<h2>{escape(section.title)}</h2><p>{escape(section.note)}</p>{''.join(map(_row, section.rows))}"


def _row(tiles: Sequence[Tile]) -> str:
    return f'<div class="row">{"".join(map(_figure, tiles))}</div>'


def _figure(tile: Tile) -> str:
    tags = "".join(f'<span class="tag">{escape(tag)}</span>' for tag in tile.tags)
    name = f"<div>{escape(tile.name)}</div>" if tile.name else ""
    address = to_data_url(Image.fromarray(tile.picture))
    return f'<figure><img src="{address}" alt="{escape(tile.name)}"><figcaption>{tags}{name}</figcaption></figure>'
