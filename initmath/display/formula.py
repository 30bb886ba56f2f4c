"""One line of Unicode for a SymPy expression: ``q/2 − q/(2π)``, ``√(2/π)``, ``Φ(x)``, ``asin(q/(q + 1))``."""

from __future__ import annotations

from typing import Any

from sympy import Add, Integer, Mul, Pow, S, exp
from sympy.core.function import Function
from sympy.printing.precedence import PRECEDENCE
from sympy.printing.str import StrPrinter

from initmath.display.spelling import order_for, spelling

__all__ = ["formula"]

_SUPERSCRIPT = str.maketrans("0123456789-/()", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻ᐟ⁽⁾")
_SUBSCRIPT = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_GREEK = dict(
    pair.split("=")
    for pair in (
        "alpha=α beta=β gamma=γ delta=δ epsilon=ε theta=θ kappa=κ lambda=λ lambda_=λ lamda=λ mu=μ "
        "nu=ν rho=ρ sigma=σ tau=τ phi=φ omega=ω "
    ).split()
)
_BESSEL = {"besselk": "K", "besseli": "I", "besselj": "J", "bessely": "Y"}


class _UnicodePrinter(StrPrinter):  # type: ignore[misc]
    """SymPy's string printer with the signs of a printed page, on one line."""

    printmethod = "_initmath_formula"

    def _print_Symbol(self, expr: Any) -> str:
        head, underscore, tail = str(expr.name).partition("_")
        head = _GREEK.get(head, head)
        digits = head.rstrip("0123456789")
        if digits and digits != head:
            head = digits + head[len(digits) :].translate(_SUBSCRIPT)
        if underscore and tail.isdigit():
            return head + tail.translate(_SUBSCRIPT)
        return _GREEK.get(expr.name, f"{head}_{tail}" if tail else head)

    _print_Dummy = _print_Symbol

    def _print_Pi(self, expr: Any) -> str:
        return "π"

    def _print_Exp1(self, expr: Any) -> str:
        return "e"

    def _print_Infinity(self, expr: Any) -> str:
        return "∞"

    def _print_NegativeInfinity(self, expr: Any) -> str:
        return "−∞"

    def _print_EulerGamma(self, expr: Any) -> str:
        return "γ"

    def _print_Integer(self, expr: Any) -> str:
        return str(expr.p).replace("-", "−")

    def _print_Rational(self, expr: Any) -> str:
        return f"{expr.p}/{expr.q}".replace("-", "−")

    def _print_Half(self, expr: Any) -> str:
        return "1/2"

    # -- sums

    def _print_Add(self, expr: Any, order: Any = None) -> str:
        terms = list(self._as_ordered_terms(expr, order=order))
        # A sum reads better when it does not begin with a minus sign.
        leading = next((i for i, term in enumerate(terms) if not term.could_extract_minus_sign()), 0)
        terms.insert(0, terms.pop(leading))
        text = ""
        for term in terms:
            negative = term.could_extract_minus_sign() and not isinstance(term, Add)
            shown = self.parenthesize(-term if negative else term, PRECEDENCE["Add"], strict=True)
            text += (" − " if negative else " + ") + shown if text else ("−" if negative else "") + shown
        return text

    # -- products

    def _print_Mul(self, expr: Any) -> str:
        expr = _sign_into_denominator(expr)
        coefficient, _ = expr.as_coeff_Mul()
        if coefficient.is_negative:
            return f"−{self.parenthesize(-expr, PRECEDENCE['Add'])}"
        above: list[Any] = []
        below: list[Any] = []
        under_root: list[Any] = []
        root_below: list[Any] = []
        number = Integer(1)
        for factor in Mul.make_args(expr) if self.order == "none" else expr.as_ordered_factors():
            base, power = factor.as_base_exp() if not isinstance(factor, exp) else (factor, S.One)
            if factor.is_Rational:
                number = number * factor
            elif abs(power) is S.Half and base.is_positive and (base.is_Atom or base.is_Rational):
                (under_root if power.is_positive else root_below).append(base)
            elif power.is_Rational and power.is_negative:
                below.append(Pow(base, -power))
            else:
                above.append(factor)
        if not (above or below or under_root or root_below):
            return str(self._print(number))
        return min(
            (
                self._fraction(n, [*roots, *above], [*below, *roots_below])
                for n, roots, roots_below in self._radicals(number, under_root, root_below)
            ),
            key=lambda text: (len(text), text.count("√")),
        )

    @staticmethod
    def _radicals(number: Any, above: list[Any], below: list[Any]) -> list[tuple[Any, list[Any], list[Any]]]:
        """Write number·√(above)/√(below) in several equal ways; the caller takes the shortest."""
        up = _product(above)
        down = _product(below)
        ways = [(number, [_Root(up)] if above else [], [_Root(down)] if below else [])]
        if not (above or below):
            return ways
        ways.insert(0, (number, [_Root(up / down)], []))
        if number.q != 1:
            inside, outside = (number**2 * up / down).as_numer_denom()
            ways.insert(0, (Integer(1), [_Root(inside / outside)], []))
            if inside == 1:
                ways.insert(0, (Integer(1), [], [_Root(outside)]))
        return ways

    def _fraction(self, number: Any, above: list[Any], below: list[Any]) -> str:
        numerator = self._juxtapose(Integer(number.p), above)
        if number.q == 1 and not below:
            return numerator
        denominator = self._juxtapose(Integer(number.q), below)
        single = (not below) or (number.q == 1 and len(below) == 1 and not self._is_product(below[0]))
        return f"{numerator}/{denominator if single else f'({denominator})'}"

    @staticmethod
    def _is_product(factor: Any) -> bool:
        return not isinstance(factor, _Root) and bool(factor.is_Mul)

    def _juxtapose(self, number: Any, factors: list[Any]) -> str:
        pieces: list[str] = [] if number == 1 and factors else [str(self._print(number))]
        for factor in factors:
            if isinstance(factor, _Root):
                pieces.append(self._root(factor.inside))
            else:
                pieces.append(self.parenthesize(factor, PRECEDENCE["Mul"], strict=False))
        text = pieces[0]
        for piece in pieces[1:]:
            # 2π, 2πq and 2√3 as on paper; everything else gets a dot.
            close = text.rstrip("π").isdigit() or text == "π"
            close = close and (piece[0] in "π√(" or _letter(piece))
            text += piece if close else "·" + piece
        return text

    def _root(self, inside: Any) -> str:
        text = self._print(inside)
        plain = inside.is_Symbol or inside.is_Integer or inside is S.Pi
        return f"√{text}" if plain else f"√({text})"

    # -- powers and functions

    def _print_Pow(self, expr: Any, rational: bool = False) -> str:
        base, power = expr.as_base_exp()
        if base is S.Exp1:
            return f"exp({self._print(power)})"
        if power.is_Rational and power.is_negative:
            inverse = Pow(base, -power)
            return f"1/{self.parenthesize(inverse, PRECEDENCE['Mul'], strict=False)}"
        if power is S.Half:
            return self._root(base)
        if power.is_Integer:
            raised = str(power).translate(_SUPERSCRIPT)
            if isinstance(base, Function) and base.__class__.__name__ not in {"Abs", "exp", *_BESSEL}:
                name, bracket, rest = self._print(base).partition("(")
                if bracket and name.isalpha():
                    return f"{name}{raised}({rest}"
            return f"{self.parenthesize(base, PRECEDENCE['Pow'])}{raised}"
        return f"{self.parenthesize(base, PRECEDENCE['Pow'])}^({self._print(power)})"

    def _call(self, name: str, *args: Any) -> str:
        return f"{name}({', '.join(self._print(a) for a in args)})"

    def _print_exp(self, expr: Any) -> str:
        return self._call("exp", expr.args[0])

    def _print_Abs(self, expr: Any) -> str:
        return f"|{self._print(expr.args[0])}|"

    def _print_Max(self, expr: Any) -> str:
        return self._call("max", *sorted(expr.args, key=lambda a: (not a.is_number, str(a))))

    def _print_Min(self, expr: Any) -> str:
        return self._call("min", *sorted(expr.args, key=lambda a: (not a.is_number, str(a))))

    def _print_Heaviside(self, expr: Any) -> str:
        return self._call("θ", expr.args[0])

    def _print_Phi(self, expr: Any) -> str:
        return self._call("Φ", *expr.args)

    def _print_gamma(self, expr: Any) -> str:
        return self._call("Γ", *expr.args)

    def _print_uppergamma(self, expr: Any) -> str:
        return self._call("Γ", *expr.args)

    def _print_owens_t(self, expr: Any) -> str:
        return self._call("T", *expr.args)

    def _print_Phi2(self, expr: Any) -> str:
        return self._call("Φ₂", *expr.args)

    def _print_logistic_L(self, expr: Any) -> str:
        order = expr.args[1] if len(expr.args) > 1 else S.Zero
        if not order.is_Integer:
            return self._call("L", *expr.args)
        marks = {0: "", 1: "′", 2: "″", 3: "‴"}
        mark = marks.get(int(order), f"⁽{str(order).translate(_SUPERSCRIPT)}⁾")
        return self._call("L" + mark, expr.args[0])

    def _bessel(self, expr: Any) -> str:
        name, order = _BESSEL[type(expr).__name__], expr.args[0]
        index = (
            str(order).translate(_SUBSCRIPT)
            if order.is_Integer and order >= 0
            else f"_({self._print(order)})"
        )
        return self._call(name + index, expr.args[1])

    _print_besselk = _print_besseli = _print_besselj = _print_bessely = _bessel

    def _print_hyper(self, expr: Any) -> str:
        upper, lower, argument = expr.args
        left, right = (str(len(a)).translate(_SUBSCRIPT) for a in (upper, lower))
        lists = "; ".join(", ".join(self._print(a) for a in group) for group in (upper, lower))
        return f"{left}F{right}({lists}; {self._print(argument)})"

    def _print_Sum(self, expr: Any) -> str:
        index, start, stop = expr.limits[0]
        bounds = f"{self._print(index)}={self._print(start)}…{self._print(stop)}"
        return f"Σ[{bounds}] {self.parenthesize(expr.function, PRECEDENCE['Mul'], strict=True)}"

    def _print_Relational(self, expr: Any) -> str:
        sign = {"<=": "≤", ">=": "≥", "!=": "≠", "==": "="}.get(expr.rel_op, expr.rel_op)
        return f"{self._print(expr.lhs)} {sign} {self._print(expr.rhs)}"

    def _print_And(self, expr: Any) -> str:
        return " and ".join(self._print(a) for a in sorted(expr.args, key=str))

    def _print_Piecewise(self, expr: Any) -> str:
        shown = [
            f"{self._print(e)} {'otherwise' if c is S.true else 'if ' + self._print(c)}" for e, c in expr.args
        ]
        return "{" + "; ".join(shown) + "}"

    def _print_GaussianIntegral(self, expr: Any) -> str:
        body = self._print(expr.integrand)
        if len(expr.variables) == 1:
            variable, mean, variance = expr.variables[0], expr.mean[0], expr.covariance[0][0]
            if variable.name == "x" and mean.is_zero and getattr(variance, "name", "") == "q":
                return f"E[{body}]"
            return f"E[{body}; {self._print(variable)} ~ N({self._print(mean)}, {self._print(variance)})]"
        law = f"N({self._print(expr.mean)}, {self._print(expr.covariance)})"
        return f"E[{body}; {self._print(expr.variables)} ~ {law}]"


class _Root:
    """√(inside), kept from SymPy's hands so that it is printed as it was grouped."""

    def __init__(self, inside: Any) -> None:
        self.inside = inside


def _sign_into_denominator(expr: Any) -> Any:
    """Write −8/(a − 4) as 8/(4 − a): the same, and it is seen to be positive."""
    coefficient, rest = expr.as_coeff_Mul()
    if not coefficient.is_negative:
        return expr
    for factor in rest.args if rest.is_Mul else (rest,):
        base, power = factor.as_base_exp()
        odd = power.is_Integer and power.is_negative and power.is_odd
        if odd and base.is_Add and any(term.could_extract_minus_sign() for term in base.args):
            opposite = Pow(Add(*(-term for term in base.args)), power)
            return Mul(-coefficient, *(opposite if f is factor else f for f in Mul.make_args(rest)))
    return expr


def _product(factors: list[Any]) -> Any:
    result = Integer(1)
    for factor in factors:
        result = result * factor
    return result


def _letter(piece: str) -> bool:
    return piece[0].isalpha() and (len(piece) == 1 or not piece[1].isalpha())


def formula(expr: Any, *, unicode: bool = True) -> str:
    """One line of text for an expression, as it would be written on paper.

    Parameters
    ----------
    expr : Expr or str or int
        A string is returned unchanged.
    unicode : bool
        With False SymPy's own ASCII spelling.

    Returns
    -------
    str

    Examples
    --------
    >>> from sympy import Max, erfc, exp, pi, sqrt, symbols
    >>> q, x = symbols("q x", positive=True)
    >>> print(formula(q / 2 - q / (2 * pi)))
    q/2 − q/(2π)
    >>> print(formula(sqrt(2) * sqrt(q) / (2 * sqrt(pi))))
    √(q/(2π))
    >>> print(formula(exp(q / 2) * erfc(sqrt(2) * sqrt(q) / 2)))
    exp(q/2)·erfc(√(q/2))
    """
    if isinstance(expr, str):
        return expr
    if isinstance(expr, int):
        expr = Integer(expr)
    return str(_UnicodePrinter({"order": order_for(expr)}).doprint(expr)) if unicode else spelling(expr)
