"""The class of growth bounds: A·(1 + t)^n·exp(b·t + c·t²) for t = |x| large."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

from flint import arb

__all__ = ["Bound"]

#: By how much (as a logarithm) a bound may lose at small t to grow more slowly at large t.
_WORSE = 10


@dataclass(frozen=True, slots=True)
class Bound:
    """The bound ``scale·(1 + t)^power·exp(linear·t + quadratic·t²)``, from above or below, for t ≥ a start.

    Attributes
    ----------
    scale, power, linear, quadratic : arb
        ``scale`` ≥ 0; the others are real and finite.
    unbounded : bool
        Of a lower bound: what it bounds outgrows every e^{ct²} as well.
    """

    scale: arb
    power: arb = arb(0)  # noqa: RUF009  (an arb is immutable)
    linear: arb = arb(0)  # noqa: RUF009
    quadratic: arb = arb(0)  # noqa: RUF009
    unbounded: bool = False

    def __mul__(self, other: Bound) -> Bound:
        """Bound of a product."""
        return Bound(
            self.scale * other.scale,
            self.power + other.power,
            self.linear + other.linear,
            self.quadratic + other.quadratic,
            self.unbounded or other.unbounded,
        )

    def __add__(self, other: Bound) -> Bound:
        """Return the upper bound of a sum: the larger of each rate, the scales added (t ≥ 0)."""
        first, second = self._absorbed(other), other._absorbed(self)
        return Bound(
            first.scale + second.scale,
            first.power.max(second.power),
            first.linear.max(second.linear),
            first.quadratic.max(second.quadratic),
        )

    def _absorbed(self, other: Bound) -> Bound:
        """Return this bound with the rates of another that wins far out, if the scale allows.

        With c < C and b > B, e^{bt + ct²} ≤ e^{(b−B)²/(4(C−c))}·e^{Bt + Ct²}: a bump stays a bump, and does
        not lend its steep flank to the other term.
        """
        if not (self.quadratic < other.quadratic and self.linear > other.linear and self.scale > 0):
            return self
        rise = (self.linear - other.linear) ** 2 / (4 * (other.quadratic - self.quadratic))
        if not self.scale.log() + rise <= arb(0).max((self.scale + other.scale).log()) + _WORSE:
            return self
        return Bound(self.scale * rise.exp(), self.power, other.linear, other.quadratic)

    def __pow__(self, exponent: arb) -> Bound:
        """Bound of a power; a negative exponent turns an upper bound into a lower one, and back."""
        scale = arb(0) if self.scale.is_zero() else (exponent * self.scale.log()).exp()
        rates = self.power * exponent, self.linear * exponent, self.quadratic * exponent
        return Bound(scale, *rates, self.unbounded and bool(exponent > 0))

    def at(self, t: arb) -> arb:
        """Value of the bound at t."""
        return self.scale * (self.power * t.log1p()).exp() * (self.linear * t + self.quadratic * t * t).exp()

    @property
    def rates(self) -> tuple[float, float, float]:
        """What decides the growth, most important first (floats, only to choose between two valid bounds)."""
        quadratic = inf if self.unbounded else float(self.quadratic.mid())
        return quadratic, float(self.linear.mid()), float(self.power.mid())

    @property
    def grows(self) -> bool:
        """Whether the bound certainly does not decrease in t."""
        return bool(self.power >= 0 and self.linear >= 0 and self.quadratic >= 0)

    @property
    def decays(self) -> bool:
        """Whether the bound certainly does not increase in t."""
        return bool(self.power <= 0 and self.linear <= 0 and self.quadratic <= 0)

    def slower(self, other: Bound | None) -> Bound:
        """Return the better of two upper bounds."""
        if other is None or (self.rates, self.scale.mid()) <= (other.rates, other.scale.mid()):
            return self
        return other

    def faster(self, other: Bound | None) -> Bound:
        """Return the better of two lower bounds."""
        return self if other is None or self.rates >= other.rates else other
