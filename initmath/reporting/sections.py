"""The sections of a report, each made on its own: here, or in another process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any

import numpy as np

from initmath import answers
from initmath.answers.exact import exact_number
from initmath.criteria.result import CriterionResult
from initmath.display.document import Block, Caution, Heading, Paragraph
from initmath.display.inline import PlainMedium, show
from initmath.errors import InitmathError

__all__ = [
    "TITLES",
    "Asked",
    "Made",
    "Section",
    "calls_of",
    "make",
    "make_text",
    "parts_of",
]

WIDTH, DEPTH, NETWORKS = 384, 20, 100  # of the verification: enough to see an error of 1 %
POINTS = 60  # along the axes of the phase diagram
GAINS = np.geomspace(0.01, 100, 61)  # the q of the curves at a glance
SPECTRUM_DEPTH = 10

TITLES = {
    "glance": "At a glance",
    "depth": "In depth: mean field",
    "diagram": "Phase diagram",
    "spectrum": "The Jacobian's singular values",
    "verification": "Tested against simulated networks",
    "published": "Beside Taylor's rule and published constants",
}


@dataclass(frozen=True, eq=False)
class Section:
    """A part of the report.

    Attributes
    ----------
    anchor, title : str
    blocks : tuple of Block
    picture : matplotlib Figure, str or None
        Text: the SVG that was drawn in another process.
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

    @cached_property
    def body(self) -> str:
        """The blocks as HTML."""
        from initmath.display.html import to_html

        return to_html(self.blocks, level=1)


@dataclass(frozen=True)
class Asked:
    """What the report is asked for.

    Attributes
    ----------
    activation : Activation
    q : number or text
        Pre-activation variance.
    digits : int
    timeout : float or None
    seed : int
    """

    activation: Any
    q: Any
    digits: int
    timeout: float | None
    seed: int

    @property
    def options(self) -> dict[str, Any]:
        """Of every search for closed forms and roots."""
        return {"digits": self.digits, "timeout": self.timeout}

    @property
    def at(self) -> Any:
        """The variance q as an exact number."""
        return exact_number(self.q, "q")


@dataclass(frozen=True, eq=False)
class Made:
    """A section whose picture is not drawn yet: that takes Matplotlib, and may be done in another process.

    Attributes
    ----------
    section : Section
        Without the picture.
    figure : callable () -> matplotlib Figure, or None
        Draws it.
    """

    section: Section
    figure: Callable[[], Any] | None = None

    def drawn(self) -> Section:
        """Return the section with its picture."""
        return self.section if self.figure is None else replace(self.section, picture=self.figure())

    def as_text(self) -> Section:
        """Return the section with its picture as SVG: what another process sends back."""
        from initmath.reporting.page import svg

        if self.figure is None:
            return self.section
        return replace(self.section, picture=svg(self.figure(), self.section.anchor, self.section.alt))


def make(anchor: str, asked: Asked, *given: Any) -> Made:
    """Make a section from what was asked, and what it stands on; one that cannot be made says why."""
    try:
        return _MAKERS[anchor](asked, *given)
    except InitmathError as error:
        return Made(Section(anchor, TITLES[anchor], (Caution(f"Not possible here: {error}"),)))


def make_text(anchor: str, asked: Asked, *given: Any) -> Section:
    """Make a section, and draw it."""
    return make(anchor, asked, *given).as_text()


def parts_of(blocks: tuple[Block, ...]) -> tuple[tuple[Block, ...], dict[str, tuple[Block, ...]]]:
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


def calls_of(derived: Any) -> tuple[tuple[str, str], ...]:
    """Return framework and code for the one solution of the main criterion; nothing where there are more."""
    from initmath.reporting.calls import calls

    solutions = derived.criteria[derived.principal].solutions
    if len(solutions) != 1:
        return ()
    return calls(float(solutions[0].sigma_w2), float(solutions[0].sigma_b2))


def _glance(asked: Asked) -> Made:
    from initmath.meanfield.tradeoff import trade_off

    gains = trade_off(asked.activation, GAINS)
    alt = (
        f"Left: {asked.activation.name} and its derivative. Right: the gain that keeps the signal (forward) "
        "and the one that keeps squared gradients (backward), against the pre-activation variance; "
        f"q = {asked.q} is marked."
    )
    section = Section("glance", TITLES["glance"], (), None, alt)
    return Made(section, partial(_glance_figure, asked.activation, gains, float(asked.at)))


def _glance_figure(activation: Any, gains: Any, q: float) -> Any:
    from initmath.plots.activation import activation_figure

    return activation_figure(activation, gains, q)


def _depth(asked: Asked) -> Made:
    edge = answers.edge_of_chaos(asked.activation, asked.q, **asked.options)
    _, parts = parts_of(edge.blocks())
    blocks: list[Block] = []
    for title, part in parts.items():
        blocks += [Heading(title), *part]
    return Made(Section("depth", TITLES["depth"], tuple(blocks)))


def _diagram(asked: Asked, critical: CriterionResult) -> Made:
    """Make the end of the section of mean field: its picture, or why there is none."""
    marked = [(solution.sigma_w2, solution.sigma_b2) for solution in critical.solutions]
    try:
        around = answers.diagram_with(asked.activation, marked, POINTS, asked.q, sketch=True)
    except InitmathError as error:
        return Made(Section("depth", TITLES["diagram"], (Caution(f"No phase diagram: {error}"),)))
    alt = (
        "Phase diagram: over how many layers the correlation of two inputs is remembered, in the plane of "
        "weight and bias variance. The line is the edge of chaos, the dot the point of this page."
    )
    return Made(Section("depth", TITLES["diagram"], (), None, alt), around.plot)


def _spectrum(asked: Asked) -> Made:
    found = answers.spectrum(asked.activation, depth=SPECTRUM_DEPTH, q=asked.q)
    _, parts = parts_of(found.blocks())
    blocks: list[Block] = []
    for title, part in parts.items():
        blocks += [Heading(title), *part]
    alt = (
        f"Density of the squared singular values of the Jacobian of {SPECTRUM_DEPTH} layers with orthogonal "
        "weights; its edges are marked."
    )
    return Made(Section("spectrum", TITLES["spectrum"], tuple(blocks), None, alt), found.plot)


def _verification(asked: Asked, solved: CriterionResult) -> Made:
    found = answers.verify_solved(
        asked.activation,
        "second_moment",
        solved,
        q=asked.q,
        width=WIDTH,
        depth=DEPTH,
        networks=NETWORKS,
        seed=asked.seed,
    )
    _, parts = parts_of(found.blocks())
    blocks: list[Block] = [Paragraph(f"{found.verdict.value.upper()}: {found.reason}.")]
    for title, part in parts.items():
        if title != "Layers":
            blocks += [Heading(title), *part]
    alt = (
        f"{NETWORKS} simulated networks of width {WIDTH} and depth {DEPTH}: dots are their means with two "
        "standard errors, lines the prediction for this width, bands two standard deviations of one network. "
        "Where a line stops before the last layer, the shift by 1/width is too large to be predicted."
    )
    section = Section("verification", TITLES["verification"], tuple(blocks), None, alt)
    return Made(section, partial(_verification_figure, found))


def _verification_figure(found: Any) -> Any:
    from initmath.plots.verification import verification_figure

    return verification_figure(found, columns=2)


def _published(asked: Asked, criteria: dict[str, CriterionResult]) -> Made:
    from initmath.answers.comparison import compare_solved

    if asked.at == 1:
        found = compare_solved(asked.activation, criteria, **asked.options)
    else:
        found = answers.compare(asked.activation, q=asked.q, **asked.options)
    _, *blocks = found.blocks()
    return Made(Section("published", TITLES["published"], tuple(blocks)))


_MAKERS: dict[str, Callable[..., Made]] = {
    "glance": _glance,
    "depth": _depth,
    "diagram": _diagram,
    "spectrum": _spectrum,
    "verification": _verification,
    "published": _published,
}
