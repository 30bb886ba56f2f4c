"""``report()``: everything about one activation on one page."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from initmath import answers
from initmath.activation import resolve
from initmath.display.document import Block, Caution, Heading, Paragraph
from initmath.display.inline import PlainMedium, show
from initmath.display.shown import Shown
from initmath.errors import InitmathError, InputError

__all__ = ["FORMATS", "Report", "Section", "report"]

FORMATS = (".html", ".md", ".tex", ".pdf")

WIDTH, DEPTH, NETWORKS = 384, 20, 100  # of the verification: enough to see an error of 1 %
POINTS = 60  # along the axes of the phase diagram
GAINS = np.geomspace(0.01, 100, 61)  # the q of the curves at a glance
SPECTRUM_DEPTH = 10


@dataclass(frozen=True, eq=False)
class Section:
    """A part of the report.

    Attributes
    ----------
    anchor, title : str
    blocks : tuple of Block
    picture : matplotlib Figure or None
    alt : str
        What the picture shows, in words: its caption, and its text for those who do not see it.
    code : tuple of (str, str)
        Framework and code.
    """

    anchor: str
    title: str
    blocks: tuple[Block, ...] = ()
    picture: Any = field(default=None, repr=False)
    alt: str = ""
    code: tuple[tuple[str, str], ...] = ()


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
        parts = [_PREAMBLE, to_latex(self.opening)]
        for section in self.sections:
            parts.append(to_latex([Heading(section.title), *map(_deeper, section.blocks)]))
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
                _put(target, made.read_bytes())
            return
        text = {".html": self.to_html, ".md": self.to_markdown, ".tex": self.to_latex}[
            target.suffix.lower()
        ]()
        _put(target, text.encode("utf-8"))


_PREAMBLE = r"""\documentclass{article}
\usepackage{amsmath, amssymb}
\usepackage{fontspec}
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
    tell("deriving")
    derived = answers.derive(activation, q=q, digits=digits, timeout=timeout).with_steps(True)
    opening, parts = _parts(derived.blocks())
    options = {"digits": digits, "timeout": timeout}
    makers: tuple[tuple[str, str, Callable[[], Section]], ...] = (
        ("glance", "At a glance", lambda: _glance(activation, q)),
        ("depth", "In depth: mean field", lambda: _depth(activation, q, options)),
        ("spectrum", SPECTRUM, lambda: _spectrum(activation, q)),
        ("verification", "Tested against simulated networks", lambda: _verification(activation, q, seed)),
        (
            "published",
            "Beside Taylor's rule and published constants",
            lambda: _published(activation, q, derived, options),
        ),
    )
    answer = tuple(b for b in parts.pop("Answer", ()) if not _of_terminal(b))
    sections = [
        Section("answer", "What the weights should start with", answer, code=_calls(derived)),
    ]
    derivation = parts.pop("Derivation", ())
    sections += [Section(_anchor(title), title, blocks) for title, blocks in parts.items()]
    sections.append(Section("derivation", "Derivation, step by step", _raised(derivation)))
    for anchor, title, make in makers:
        tell(title)
        try:
            made = make()
        except InitmathError as error:
            made = Section(anchor, title, (Caution(f"Not possible here: {error}"),))
        sections.insert(1, made) if anchor == "glance" else sections.append(made)
    return Report(activation, str(q), opening, tuple(sections), _colophon(seed))


# ----------------------------------------------------------------------------------------------- sections


def _parts(blocks: tuple[Block, ...]) -> tuple[tuple[Block, ...], dict[str, tuple[Block, ...]]]:
    """Cut an answer at its headings of level 2: what stands before the first one, and each part."""
    opening: list[Block] = []
    parts: dict[str, list[Block]] = {}
    current = opening
    for block in blocks:
        if isinstance(block, Heading) and block.level == 2:
            current = parts.setdefault(show(block.text, PlainMedium()), [])
        else:
            current.append(block)
    return tuple(opening), {title: tuple(found) for title, found in parts.items() if found}


def _anchor(title: str) -> str:
    return "-".join("".join(c if c.isascii() and c.isalnum() else " " for c in title.lower()).split())


def _of_terminal(block: Block) -> bool:
    """Whether a block tells of an option of the command line: the calls on the page do what it is for."""
    return isinstance(block, Paragraph) and "--" in show(block.text, PlainMedium())


def _raised(blocks: tuple[Block, ...]) -> tuple[Block, ...]:
    """Put the headings that stood below a section's title right below it: none is left out."""
    return tuple(Heading(b.text, b.level - 1) if isinstance(b, Heading) else b for b in blocks)


def _deeper(block: Block) -> Block:
    return Heading(block.text, block.level + 1) if isinstance(block, Heading) else block


def _calls(derived: Any) -> tuple[tuple[str, str], ...]:
    from initmath.reporting.calls import calls

    solutions = derived.criteria[derived.principal].solutions
    if len(solutions) != 1:
        return ()
    return calls(float(solutions[0].sigma_w2), float(solutions[0].sigma_b2))


def _glance(activation: Any, q: Any) -> Section:
    from initmath.meanfield.tradeoff import trade_off
    from initmath.plots.activation import activation_figure

    picture = activation_figure(activation, trade_off(activation, GAINS), float(_number(q)))
    alt = (
        f"Left: {activation.name} and its derivative. Right: the gain that keeps the signal (forward) and "
        "the one that keeps squared gradients (backward), against the pre-activation variance; "
        f"q = {q} is marked."
    )
    return Section("glance", "At a glance", (), picture, alt)


def _depth(activation: Any, q: Any, options: dict[str, Any]) -> Section:
    edge = answers.edge_of_chaos(activation, q, **options)
    _, parts = _parts(edge.blocks())
    blocks: list[Block] = []
    for title, part in parts.items():
        blocks += [Heading(title), *part]
    try:
        drawn = answers.diagram_around(activation, edge, POINTS, None, sketch=True)
    except InitmathError as error:
        return Section("depth", "In depth: mean field", (*blocks, Caution(f"No phase diagram: {error}")))
    alt = (
        "Phase diagram: over how many layers the correlation of two inputs is remembered, in the plane of "
        "weight and bias variance. The line is the edge of chaos, the dot the point of this page."
    )
    return Section("depth", "In depth: mean field", tuple(blocks), drawn.plot(), alt)


SPECTRUM = "The Jacobian's singular values"


def _spectrum(activation: Any, q: Any) -> Section:
    found = answers.spectrum(activation, depth=SPECTRUM_DEPTH, q=q)
    _, parts = _parts(found.blocks())
    blocks: list[Block] = []
    for title, part in parts.items():
        blocks += [Heading(title), *part]
    alt = (
        f"Density of the squared singular values of the Jacobian of {SPECTRUM_DEPTH} layers with orthogonal "
        "weights; its edges are marked."
    )
    return Section("spectrum", SPECTRUM, tuple(blocks), found.plot(), alt)


def _verification(activation: Any, q: Any, seed: int) -> Section:
    from initmath.plots.verification import verification_figure

    found = answers.verify(activation, q=q, width=WIDTH, depth=DEPTH, networks=NETWORKS, seed=seed)
    picture = verification_figure(found, columns=2)
    _, parts = _parts(found.blocks())
    blocks: list[Block] = [Paragraph(f"{found.verdict.value.upper()}: {found.reason}.")]
    for title, part in parts.items():
        if title != "Layers":
            blocks += [Heading(title), *part]
    alt = (
        f"{NETWORKS} simulated networks of width {WIDTH} and depth {DEPTH}: dots are their means with two "
        "standard errors, lines the prediction for this width, bands two standard deviations of one network."
    )
    return Section("verification", "Tested against simulated networks", tuple(blocks), picture, alt)


def _published(activation: Any, q: Any, derived: Any, options: dict[str, Any]) -> Section:
    from initmath.answers.comparison import compare_solved

    if _number(q) == 1:
        found = compare_solved(activation, derived.criteria, **options)
    else:
        found = answers.compare(activation, q=q, **options)
    _, *blocks = found.blocks()
    return Section("published", "Beside Taylor's rule and published constants", tuple(blocks))


def _number(q: Any) -> Any:
    from initmath.answers.exact import exact_number

    return exact_number(q, "q")


def _colophon(seed: int) -> str:
    import initmath

    return (
        f"Made by initmath {initmath.__version__}. A number after ± bounds the error rigorously, unless it "
        f"is said to be an estimate. Simulated with seed {seed}."
    )


# ------------------------------------------------------------------------------------------------- files


def check_path(path: str | os.PathLike[str]) -> Path:
    """Return the path, or refuse it: before anything long is computed."""
    target = Path(path)
    if target.suffix.lower() not in FORMATS:
        raise InputError(f"-o {target}: a report's name ends in {', '.join(FORMATS)}")
    if target.is_dir():
        raise InputError(f"-o {target}: is a directory; name a file in it")
    if not target.parent.is_dir():
        raise InputError(f"-o {target}: there is no directory {target.parent}")
    if not os.access(target if target.exists() else target.parent, os.W_OK):
        raise InputError(f"-o {target}: no permission to write there")
    return target


def _put(target: Path, content: bytes) -> None:
    """Write all or nothing."""
    try:
        handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=".initmath-")
        try:
            with open(handle, "wb") as stream:
                stream.write(content)
            os.chmod(temporary, 0o644)
            os.replace(temporary, target)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise InputError(f"-o {target}: {error.strerror or error}") from None
