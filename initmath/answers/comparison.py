"""``compare()``: Kumar's Taylor rule beside the exact value, published constants beside the truth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from initmath import criteria, moments, taylor
from initmath.activation import resolve
from initmath.answers import signs
from initmath.answers.exact import digits_asked, exact_number
from initmath.answers.facts import ActivationFacts, facts_of
from initmath.answers.initialization import CriterionAnswer
from initmath.criteria.result import CriterionResult
from initmath.derivation import Declined, Number
from initmath.display.document import Block, Facts, Heading, Paragraph, Table
from initmath.display.inline import Inline, decimal
from initmath.display.shown import Shown
from initmath.errors import InputError
from initmath.initializers import Published, published_for, scheme, true_value
from initmath.initializers.published import QUANTITIES

__all__ = [
    "ComparedActivation",
    "Comparison",
    "FrameworkConstant",
    "SeriesError",
    "compare",
    "compare_solved",
]

Solved = CriterionResult | CriterionAnswer

COMPARED = ("taylor", "second_moment", "variance")
"""The criteria that are compared."""

DEFAULTS = {
    "torch Linear default": "torch_linear_default",
    "keras Dense default": "glorot",
    "flax Dense default": "lecun",
    "he": "he",
}
"""What is used whatever the activation is, for square matrices."""

SERIES_ORDERS = 24
"""Powers of x in the longest moment series that is tried."""


@dataclass(frozen=True, slots=True)
class FrameworkConstant:
    """What a framework uses for an activation, and what is true.

    Attributes
    ----------
    published : float or None
        The constant; None where the framework has none for this activation.
    true : float or None
        What it is meant to be, computed.
    relative_error : float or None
        published/true − 1.
    meant : str
        What the constant is meant to be, for z ~ N(0, 1).
    source : str
    """

    published: float | None
    true: float | None
    relative_error: float | None
    meant: str
    source: str


@dataclass(frozen=True, slots=True)
class SeriesError:
    """The Taylor series of E g² at q, at the order where it is best.

    Attributes
    ----------
    order : int
        Power of x at which the series was cut.
    value : float
    error : float
        |value − true|, measured.
    worst_order : int
    worst_error : float
        At the longest series that was tried.
    """

    order: int
    value: float
    error: float
    longest_order: int
    longest_error: float


@dataclass(frozen=True, slots=True)
class ComparedActivation:
    """One activation in a comparison.

    Attributes
    ----------
    activation : str
    expression : str or None
    q : str
        As it was given.
    taylor : Number or None
        σ_w² by Kumar's linearised rule (``taylor``).
    exact : Number or None
        σ_w² that keeps q exactly (``second_moment``).
    gain : Number or None
        Its square root.
    variance : tuple of Number
        σ_w² that keep Var x = 1 exactly: what the Taylor rule approximates.
    notes : dict of str to str
        Why a value is missing, by the criterion's name.
    series : SeriesError or None
    frameworks : dict of str to FrameworkConstant
    """

    activation: str
    expression: str | None
    q: str
    taylor: Number | None
    exact: Number | None
    gain: Number | None
    variance: tuple[Number, ...]
    notes: dict[str, str]
    series: SeriesError | None
    frameworks: dict[str, FrameworkConstant]
    facts: ActivationFacts = field(repr=False, compare=False, metadata={"json": False})

    def __hash__(self) -> int:
        return hash((self.activation, self.expression, self.q))


@dataclass(frozen=True)
class Comparison(Shown):
    """Several activations side by side; its JSON is a plain list."""

    rows: tuple[ComparedActivation, ...]

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> ComparedActivation:
        return self.rows[index]

    def _data_(self) -> list[Any]:
        from initmath.display.data import to_data

        return [to_data(row) for row in self.rows]

    def blocks(self) -> tuple[Block, ...]:
        """One section an activation."""
        blocks: list[Block] = []
        for row in self.rows:
            blocks += [Heading(row.facts.title(), 1), *_values(row), *_frameworks(row)]
        return tuple(blocks)


def compare(
    acts: Any,
    *more: Any,
    q: Any = None,
    digits: int = 15,
    params: dict[str, Any] | None = None,
    timeout: float | None = None,
) -> Comparison:
    """Hold Kumar's Taylor rule and the constants of the frameworks against the exact values.

    Parameters
    ----------
    acts : activation, or list or tuple of activations
        Anything that `derive` takes; more may follow as further arguments.
    q : number or text, optional
        Of the exact value; 1 unless given.  Published constants are compared at q = 1.
    digits : int
    params : dict, optional
        Given to every activation that has these parameters.
    timeout : float, optional

    Returns
    -------
    Comparison
        A sequence of `ComparedActivation`.

    Raises
    ------
    InputError

    Examples
    --------
    >>> from initmath import compare
    >>> torch = compare("tanh")[0].frameworks["torch"]
    >>> round(torch.relative_error, 4)
    0.0465
    """
    several = [*acts, *more] if isinstance(acts, list | tuple) else [acts, *more]
    if not several:
        raise InputError("compare needs at least one activation")
    at = exact_number(1 if q is None else q, "q")
    digits = digits_asked(digits)
    shown_q = "1" if q is None else str(q).strip()
    found = []
    for act in several:
        activation = resolve(act, params or None)
        solved = {
            name: criteria.solve(name, activation, q=at if name == "second_moment" else None, digits=digits,
                                 timeout=timeout)
            for name in COMPARED
        }  # fmt: skip
        found.append(_compared(activation, at, shown_q, digits, timeout, solved))
    return Comparison(tuple(found))


def compare_solved(
    activation: Any, solved: Mapping[str, Solved], digits: int = 15, timeout: float | None = None
) -> Comparison:
    """Compare one activation at q = 1 whose criteria have been solved there already.

    Parameters
    ----------
    activation : Activation
    solved : mapping of str to CriterionResult or CriterionAnswer
        At q = 1, with so many digits: what `derive` found.
    digits : int
    timeout : float, optional

    Examples
    --------
    >>> from initmath import compare, derive
    >>> from initmath.activation import resolve
    >>> compare_solved(resolve("elu"), derive("elu").criteria).to_json() == compare("elu").to_json()
    True
    """
    at = exact_number(1, "q")
    return Comparison((_compared(activation, at, "1", digits_asked(digits), timeout, solved),))


def _compared(
    activation: Any,
    at: Any,
    shown_q: str,
    digits: int,
    timeout: float | None,
    solved: Mapping[str, Solved],
) -> ComparedActivation:
    conditions: dict[str, Any] = {"digits": digits, "timeout": timeout}
    linear, exact, kept = (solved[name] for name in COMPARED)
    notes = {
        name: result.reason.removeprefix("no solution: ")
        for name, result in (("taylor", linear), ("variance", kept), ("second_moment", exact))
        if result.reason and not result.solutions
    }
    best = exact.solutions[0] if exact.solutions else None
    return ComparedActivation(
        activation=activation.name,
        expression=None if activation.expr is None else str(activation.expr),
        q=shown_q,
        taylor=linear.solutions[0].sigma_w2 if linear.solutions else None,
        exact=None if best is None else best.sigma_w2,
        gain=None if best is None else best.gain,
        variance=tuple(solution.sigma_w2 for solution in kept.solutions),
        notes=notes,
        series=_series(activation, at, digits, timeout),
        frameworks=_constants(activation, _gain_at_one(activation, best, at, conditions), digits),
        facts=facts_of(activation),
    )


def _gain_at_one(activation: Any, best: Any, at: Any, conditions: dict[str, Any]) -> Number | None:
    """Return the gain at q = 1, which published constants are meant for, whatever q was asked."""
    if at != 1:
        at_one = criteria.solve("second_moment", activation, **conditions)
        best = at_one.solutions[0] if at_one.solutions else None
    return None if best is None else best.gain


def _series(activation: Any, at: Any, digits: int, timeout: float | None) -> SeriesError | None:
    """Hold the Taylor series of E g² against the truth; None where there is no series at 0."""
    if activation.expr is None or activation.is_symbolic:
        return None
    series = taylor.moment_series(activation, "second_moment", order=SERIES_ORDERS)
    if isinstance(series, Declined):
        return None
    truth = moments.moment(activation, "second_moment", at, digits, timeout).number.ball
    measured = series.measured(at, truth)
    best = measured.best
    return SeriesError(
        order=2 * best,
        value=float(measured.values[best]),
        error=measured.errors[best],
        longest_order=2 * (len(measured.values) - 1),
        longest_error=measured.errors[-1],
    )


def _constants(activation: Any, gain: Number | None, digits: int) -> dict[str, FrameworkConstant]:
    """Collect what is published for this activation, and the defaults that are used for every one."""
    found: dict[str, FrameworkConstant] = {}
    published = _published(activation)
    names = [entry.framework for entry in published]
    for entry in published:
        key = entry.framework if names.count(entry.framework) == 1 else f"{entry.framework} {entry.quantity}"
        value, true = float(entry.exact()), float(true_value(entry, max(digits, 17)))
        found[key] = FrameworkConstant(
            value, true, value / true - 1, QUANTITIES[entry.quantity], entry.source
        )
    true_gain = None if gain is None else float(gain)
    if "torch" not in found:
        found["torch"] = FrameworkConstant(
            None, true_gain, None, QUANTITIES["he_gain"], "torch.nn.init.calculate_gain"
        )
    for name, rule in DEFAULTS.items():
        default = float(scheme(rule).sigma_w2()) ** 0.5
        error = None if true_gain is None else default / true_gain - 1
        found[name] = FrameworkConstant(default, true_gain, error, QUANTITIES["he_gain"], scheme(rule).source)
    return found


def _published(activation: Any) -> tuple[Published, ...]:
    """Find the entries by name, unless the parameters are others than those the entries were made for."""
    entries = published_for(activation.name)
    return entries if entries and resolve(activation.name) == activation else ()


def _values(row: ComparedActivation) -> list[Block]:
    q: Inline = ("exact: keeps q = ", row.q)
    rows: list[tuple[Any, ...]] = [
        ("Taylor (Kumar eq. 12)", _value(row.taylor)),
        (
            "exact: keeps Var x = 1 (what Taylor approximates)",
            [_value(n) for n in row.variance] or "no solution",
        ),
        (q, _value(row.exact)),
    ]
    blocks: list[Block] = [Table(("", signs.WEIGHT_VARIANCE), tuple(rows))]
    if row.notes:
        blocks.append(Facts(tuple((name, reason) for name, reason in row.notes.items())))
    if row.series is not None:
        s = row.series
        text = (
            f"Taylor series of E g² at q = {row.q}: best at order {s.order} (error {s.error:.2g}), "
            f"at order {s.longest_order} the error is {s.longest_error:.2g}."
        )
        blocks.append(Paragraph(text))
    return blocks


def _value(number: Number | None) -> Inline:
    if number is None:
        return "no solution"
    form = number.closed_form
    if form is not None and form.is_Integer:
        return form
    return decimal(number)


def _frameworks(row: ComparedActivation) -> list[Block]:
    rows = tuple(
        (
            name,
            "none" if each.published is None else f"{each.published:.6g}",
            "–" if each.true is None else f"{each.true:.6g}",
            "–" if each.relative_error is None else _percent(each.relative_error),
            each.meant,
        )
        for name, each in row.frameworks.items()
    )
    return [Table(("framework", "uses", "true", "off by", "meant to be"), rows)]


def _percent(error: float) -> str:
    size = abs(100 * error)
    if size < 5e-14:
        return "0"
    return f"{'+' if error > 0 else '−'}{size:.2g} %"
