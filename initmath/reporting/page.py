"""The report as one HTML file: a style sheet, sections, pictures as SVG; no network, no script."""

from __future__ import annotations

import re
from html import escape
from typing import Any

from initmath.display.html import to_html

__all__ = ["html_page", "svg"]

STYLE = """
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { font: 1rem/1.55 system-ui, "DejaVu Sans", sans-serif; color: #1a1a1a; background: #fff;
  max-width: 46rem; margin: 0 auto; padding: 1rem 1.1rem 4rem; overflow-wrap: break-word; }
h1 { font-size: 1.7rem; line-height: 1.25; margin: .6rem 0 1rem; }
h2 { font-size: 1.3rem; margin: 2.4rem 0 .6rem; padding-top: .8rem; border-top: 1px solid #ddd; }
h3 { font-size: 1.05rem; margin: 1.5rem 0 .4rem; }
h4, h5, h6 { font-size: 1rem; margin: 1.2rem 0 .3rem; }
a { color: #00558c; }
nav ul { display: flex; flex-wrap: wrap; gap: .2rem 1.1rem; list-style: none; padding: 0; margin: 0; }
nav a { display: inline-block; padding: .3rem 0; }
dl { margin: .6rem 0; }
dl div { display: grid; grid-template-columns: 10.5rem 1fr; gap: .1rem .8rem; padding: .15rem 0;
  align-items: baseline; }
dt { color: #555; }
dd { margin: 0; min-width: 0; }
.scroll { overflow-x: auto; max-width: 100%; padding-block: .25rem; }
span.scroll { display: inline-block; vertical-align: middle; padding-block: .5rem; }
.scroll:focus-visible { outline: 2px solid #00558c; }
.formula { margin: .35rem 0 .35rem 1.2rem; }
div.formula { display: flex; align-items: baseline; column-gap: .3em; }
.terms { display: inline-block; max-width: 100%; padding-left: 1.4em; baseline-source: first; }
.terms > * { margin-block: .15rem; }
.terms > :first-child { margin-left: -1.4em; }
.step { margin: .9rem 0; }
.step p { margin: .25rem 0; }
.source { color: #595959; font-size: .85rem; }
.caution { border-left: 4px solid #b35900; padding-left: .7rem; }
table { border-collapse: collapse; font-size: .92rem; }
th, td { text-align: left; vertical-align: baseline; padding: .3rem .8rem .3rem 0;
  border-bottom: 1px solid #e3e3e3; }
th { border-bottom: 2px solid #bbb; }
td math, dd math, .step p math, p.formula math { math-style: normal; margin-block: .15rem; }
.short, .error { white-space: nowrap; }
pre { background: #f5f5f5; padding: .7rem .9rem; font-size: .85rem; line-height: 1.45;
  white-space: pre-wrap; overflow-wrap: anywhere; }
figure { margin: 1rem 0; }
figure svg { width: 100%; height: auto; display: block; }
figcaption { font-size: .9rem; color: #444; }
@media (max-width: 34rem) {
  dl div { grid-template-columns: 1fr; }
  dt { margin-top: .3rem; }
  .formula { margin-left: .3rem; }
}
@page { size: A4; margin: 12mm 10mm; }
@media print {
  html { font-size: 10pt; }
  body { max-width: none; padding: 0; }
  nav { display: none; }
  h2, h3 { break-after: avoid; }
  figure, .step, pre, tr, dl, .formula { break-inside: avoid; }
  p { orphans: 3; widows: 3; }
  tbody tr:first-child { break-after: avoid; }
  tbody tr:last-child { break-before: avoid; }
  .scroll { overflow: visible; white-space: normal; }
  figure svg { max-height: 17cm; }
  a { color: inherit; text-decoration: none; }
}
""".strip()


RASTER = 110
"""Dots an inch of what is drawn as pixels inside a picture."""


def html_page(report: Any) -> str:
    """Return the whole page as text."""
    parts = [
        "<!DOCTYPE html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(report.activation.name)}: initial weights and why</title>",
        f"<style>\n{STYLE}\n</style>",
        "</head>",
        "<body>",
        "<main>",
        to_html(report.opening),
        '<nav aria-label="Sections"><ul>',
        *(f'<li><a href="#{s.anchor}">{escape(s.title)}</a></li>' for s in report.sections),
        "</ul></nav>",
        *(_section(s) for s in report.sections),
        "</main>",
        f'<footer><p class="source">{escape(report.colophon)}</p></footer>',
        "</body>",
        "</html>",
    ]
    return "\n".join(parts) + "\n"


def _section(section: Any) -> str:
    parts = [f'<section id="{section.anchor}" aria-labelledby="{section.anchor}-title">']
    parts.append(f'<h2 id="{section.anchor}-title">{escape(section.title)}</h2>')
    if section.blocks:
        parts.append(section.body)
    for name, code in section.code:
        parts.append(f"<h3>{escape(name)}</h3>")
        label = escape(f"{name} code", quote=True)
        parts.append(f'<pre role="group" aria-label="{label}"><code>{escape(code)}</code></pre>')
    if section.picture is not None:
        picture = section.picture
        if not isinstance(picture, str):
            picture = svg(picture, section.anchor, section.alt)
        parts.append(f"<figure>\n{picture}\n<figcaption>{escape(section.alt)}</figcaption>\n</figure>")
    parts.append("</section>")
    return "\n".join(parts)


def svg(figure: Any, anchor: str, alt: str) -> str:
    """Return a figure as an <svg> element with a text alternative, its ids unique in the page."""
    from initmath.plots.vectors import svg_text

    text = svg_text(figure, RASTER)
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text, flags=re.S)
    text = re.sub(r'(\bid="|href="#|url\(#)', rf"\1{anchor}-", text)
    # The size is that of the column; the view box keeps the shape.
    head, rest = text.split(">", 1)
    head = re.sub(r'\s(width|height)="[^"]*"', "", head)
    label = escape(alt, quote=True)
    return f'{head} role="img" aria-label="{label}">{rest}'.strip()
