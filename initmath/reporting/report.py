"""``report()``: everything about one activation on one page."""

from __future__ import annotations

import os
import pickle
import tempfile
import warnings
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, Future
from dataclasses import dataclass, replace
from pathlib import Path
from threading import RLock
from typing import Any

from initmath import answers
from initmath.activation import resolve
from initmath.display.document import Block, Heading, Paragraph
from initmath.display.inline import PlainMedium, show
from initmath.display.shown import Shown
from initmath.errors import InputError
from initmath.reporting.files import FORMATS, check_path, put
from initmath.reporting.sections import (
    TITLES,
    Asked,
    Made,
    Section,
    calls_of,
    make,
    make_text,
    parts_of,
)

__all__ = ["FORMATS", "Report", "Section", "report"]


@dataclass(frozen=True, eq=False)
class Report(Shown):
    """One activation: what its weights should start with, why, and what was tested.

    Attributes
    ----------
    activation : Activation
    q : str
        Pre-activation variance, as it was given.
    opening : tuple of Block
        Title and facts.
    sections : tuple of Section
    colophon : str
        Version, and how the page was made.
    """

    activation: Any
    q: str
    opening: tuple[Block, ...]
    sections: tuple[Section, ...]
    colophon: str

    def blocks(self) -> tuple[Block, ...]:
        """Everything but the pictures and the code."""
        found: list[Block] = list(self.opening)
        for section in self.sections:
            found.append(Heading(section.title))
            found += [_deeper(block) for block in section.blocks]
            for name, code in section.code:
                found += [Heading(name, 3), Paragraph(code)]
        return tuple(found)

    def to_html(self) -> str:
        """Return the page: one file, without network and without script."""
        from initmath.reporting.page import html_page

        return html_page(self)

    def to_markdown(self) -> str:
        """Return Markdown; pictures are left out, their captions stay."""
        from initmath.display.markdown import to_markdown

        parts = [to_markdown(self.opening)]
        for section in self.sections:
            parts.append(to_markdown([Heading(section.title), *map(_deeper, section.blocks)]))
            parts += [f"### {name}\n\n```python\n{code}\n```\n" for name, code in section.code]
            if section.picture is not None:
                parts.append(f"*Picture, in the HTML report: {section.alt}*\n")
        return "\n".join([*parts, self.colophon + "\n"])

    def to_latex(self) -> str:
        """Return a document for LuaLaTeX or XeLaTeX; pictures are left out, their captions stay."""
        from initmath.display.inline import LatexMedium
        from initmath.display.tex import to_latex

        medium = LatexMedium()
        parts = [_PREAMBLE, to_latex(self.opening, LINE)]
        for section in self.sections:
            parts.append(to_latex([Heading(section.title), *map(_deeper, section.blocks)], LINE))
            for name, code in section.code:
                parts.append(f"\\subsubsection*{{{name}}}\n\\begin{{verbatim}}\n{code}\n\\end{{verbatim}}\n")
            if section.picture is not None:
                parts.append(f"\\emph{{Picture, in the HTML report: {medium.text(section.alt)}}}\n")
        parts.append(medium.text(self.colophon) + "\n\n\\end{document}\n")
        return "\n".join(parts)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the report; the ending of the name says how: .html, .md, .tex or .pdf.

        Raises
        ------
        InputError
            If the ending is another one, or the file cannot be written; nothing is left half-written.
        """
        target = check_path(path)
        if target.suffix.lower() == ".pdf":
            from initmath.reporting.printing import to_pdf

            with tempfile.TemporaryDirectory(prefix="initmath-") as folder:
                made = Path(folder) / "report.pdf"
                to_pdf(self.to_html(), made)
                put(target, made.read_bytes())
            return
        text = {".html": self.to_html, ".md": self.to_markdown, ".tex": self.to_latex}[
            target.suffix.lower()
        ]()
        put(target, text.encode("utf-8"))


LINE = 45.0
"""Width in em of a line of the LaTeX document: A4 with these margins has 47."""

_PREAMBLE = r"""\documentclass{article}
\usepackage{amsmath, amssymb}
\usepackage{fontspec}
\usepackage[a4paper, margin=22mm]{geometry}
\allowdisplaybreaks
\setlength{\emergencystretch}{3em}
\begin{document}
"""


def report(
    act: Any,
    q: Any = 1,
    *,
    digits: int = 15,
    params: dict[str, Any] | None = None,
    timeout: float | None = None,
    seed: int = 0,
    progress: Callable[[str], object] | None = None,
    executor: Executor | None = None,
) -> Report:
    """Put derivation, criteria, mean field, spectrum, verification and calls on one page.

    Parameters
    ----------
    act : str, Expr, callable or Activation
        Its parameters need numbers.
    q : number or text
        Pre-activation variance.
    digits : int
        Significant digits.
    params : dict, optional
        Parameters of the activation.
    timeout : float, optional
        Seconds for each closed form and each search.
    seed : int
        Of the simulated networks.
    progress : callable (title), optional
        Told what is being computed.
    executor : concurrent.futures.Executor, optional
        Makes some of the sections meanwhile, in another process; their pictures come back as SVG.

    Returns
    -------
    Report
        A section that cannot be made says why in its place.

    Raises
    ------
    InputError
        If the input is wrong; the message is one line.

    Examples
    --------
    >>> from initmath import report
    >>> page = report("relu").to_html()
    >>> page.startswith("<!DOCTYPE html>"), "<script" in page
    (True, False)
    """
    activation = resolve(act, dict(params) if params else None)
    if activation.is_symbolic:
        raise InputError("a report needs numbers: give each parameter a value")
    tell = progress or (lambda title: None)
    asked = Asked(activation, q, digits, timeout, seed)
    jobs = _Jobs(executor, asked, tell)
    jobs.begin("spectrum")
    jobs.begin("glance")
    tell("deriving")
    derived = answers.derive(activation, q=q, digits=digits, timeout=timeout).with_steps(True)
    jobs.begin("verification", derived.criteria["second_moment"])
    jobs.begin("diagram", derived.criteria["critical"])
    opening, parts = parts_of(derived.blocks())
    answer = tuple(b for b in parts.pop("Answer", ()) if not _of_terminal(b))
    derivation = parts.pop("Derivation", ())
    tell(TITLES["depth"])
    depth = make("depth", asked).section
    beside = make("published", asked, derived.criteria).section
    first = Section("answer", "What the weights should start with", answer, code=calls_of(derived))
    told = [Section(_anchor(title), title, blocks) for title, blocks in parts.items()]
    told.append(Section("derivation", "Derivation, step by step", _raised(derivation)))
    if executor is not None:
        _typeset([first, *told, beside])  # to_html() will ask for it, and this process has nothing to do
    made = jobs.finished()
    plane = made["diagram"]
    depth = replace(depth, blocks=(*depth.blocks, *plane.blocks), picture=plane.picture, alt=plane.alt)
    sections = (first, made["glance"], *told, depth, made["spectrum"], made["verification"], beside)
    return Report(activation, str(q), opening, sections, _colophon(seed))


class _Jobs:
    """Sections that another process makes, where there is one, one after the other.

    An executor would take the next one before it can begin it; kept here, it can still be made here.
    """

    def __init__(self, executor: Executor | None, asked: Asked, tell: Callable[[str], object]) -> None:
        self.executor, self.asked, self.tell = executor, asked, tell
        self.given: dict[str, tuple[Any, ...]] = {}
        self.waiting: list[str] = []
        self.coming: dict[str, Future[Section]] = {}
        self.last: Future[Section] | None = None
        self.turn = RLock()

    def begin(self, anchor: str, *given: Any) -> None:
        """Hand a section out."""
        self.given[anchor] = given
        self.waiting.append(anchor)
        self._hand_on()

    def _hand_on(self, _done: Any = None) -> None:
        with self.turn:
            if self.executor is None or not self.waiting or not (self.last is None or self.last.done()):
                return
            anchor = self.waiting.pop(0)
            self.last = self.coming[anchor] = self._send(make_text, anchor, self.asked, *self.given[anchor])
        self.last.add_done_callback(self._hand_on)

    def _send(self, function: Callable[..., Section], *given: Any) -> Future[Section]:
        assert self.executor is not None
        try:
            return self.executor.submit(function, *given)
        except BrokenExecutor as error:
            lost: Future[Section] = Future()
            lost.set_exception(error)
            return lost

    def finished(self) -> dict[str, Section]:
        """Return all of them; what nobody has begun is made here, the last first.

        The other process has loaded what pictures take: it draws those of the sections made here, too.
        """
        here: dict[str, Section] = {}
        while True:
            with self.turn:
                if not self.waiting:
                    break
                anchor = self.waiting.pop()
            self.tell(TITLES[anchor])
            made = make(anchor, self.asked, *self.given[anchor])
            if self.executor is None:
                here[anchor] = made.drawn()
            else:
                self.coming[anchor] = self._send(Made.as_text, made)
        return here | {anchor: self._take(anchor) for anchor in self.coming}

    def _works(self) -> bool:
        """Whether the executor has begun anything: then the rest is waited for."""
        futures = self.coming.values()
        return any(future.running() or (future.done() and not future.cancelled()) for future in futures)

    def _take(self, anchor: str) -> Section:
        self.tell(TITLES[anchor])
        coming = self.coming[anchor]
        if not self._works() and coming.cancel():
            return make(anchor, self.asked, *self.given[anchor]).drawn()
        try:
            return coming.result()
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            if "pickle" not in str(error).lower():
                raise
            raise InputError(
                "the activation cannot be sent to another process: define it at the top of a module"
            ) from None
        except BrokenExecutor:
            warnings.warn(
                f"the other process was lost: {TITLES[anchor]!r} is made here", RuntimeWarning, stacklevel=5
            )
            return make(anchor, self.asked, *self.given[anchor]).drawn()


# ------------------------------------------------------------------------------------------------ blocks


def _anchor(title: str) -> str:
    return "-".join("".join(c if c.isascii() and c.isalnum() else " " for c in title.lower()).split())


def _of_terminal(block: Block) -> bool:
    """Whether a block tells of an option of the command line: the calls on the page do what it is for."""
    return isinstance(block, Paragraph) and "--" in show(block.text, PlainMedium())


def _typeset(sections: list[Section]) -> list[str]:
    """Make the HTML of sections, which keep it."""
    return [section.body for section in sections]


def _raised(blocks: tuple[Block, ...]) -> tuple[Block, ...]:
    """Put the headings that stood below a section's title right below it: none is left out."""
    return tuple(Heading(b.text, b.level - 1) if isinstance(b, Heading) else b for b in blocks)


def _deeper(block: Block) -> Block:
    return Heading(block.text, block.level + 1) if isinstance(block, Heading) else block


def _colophon(seed: int) -> str:
    import initmath

    return (
        f"Made by initmath {initmath.__version__}. A number after ± bounds the error rigorously, unless it "
        f"is said to be an estimate. Simulated with seed {seed}."
    )
