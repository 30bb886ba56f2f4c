"""``activations()``: the catalogue."""

from __future__ import annotations

from dataclasses import dataclass

from initmath.activation import catalogue
from initmath.display.document import Block, Heading, Paragraph, Table
from initmath.display.shown import Shown

__all__ = ["Catalogue", "Listed", "activations"]


LONG = 20


@dataclass(frozen=True, slots=True)
class Listed:
    """One activation of the catalogue.

    Attributes
    ----------
    name, expression : str
    parameters : dict of str to str
        Name and usual value.
    aliases, references : tuple of str
    """

    name: str
    expression: str
    parameters: dict[str, str]
    aliases: tuple[str, ...]
    references: tuple[str, ...]


def _parameters(entry: Listed) -> list[str]:
    """Put the parameters on one line; a long value is in the JSON."""
    shown = ", ".join(f"{k} = {v if len(v) < LONG else '…'}" for k, v in entry.parameters.items())
    return [shown] if shown else []


@dataclass(frozen=True)
class Catalogue(Shown):
    """Every activation that has a name; its JSON is a plain list."""

    entries: tuple[Listed, ...]

    def __len__(self) -> int:
        return len(self.entries)

    def __iter__(self):  # type: ignore[no-untyped-def]
        return iter(self.entries)

    def __getitem__(self, index: int) -> Listed:
        return self.entries[index]

    def _data_(self) -> list[dict[str, object]]:
        from initmath.display.data import to_data

        return [to_data(entry) for entry in self.entries]

    def blocks(self) -> tuple[Block, ...]:
        """Make a table, one activation a line."""
        rows = tuple(
            (
                entry.name,
                [entry.expression, *_parameters(entry)],
                ", ".join(entry.aliases),
            )
            for entry in self.entries
        )
        return (
            Heading(f"{len(self)} activations", 1),
            Table(("name", "formula", "other names"), rows),
            Paragraph("Any other: write it as an expression in x, such as x*tanh(log(1 + exp(x)))."),
            Paragraph("The sources are in the JSON: initmath list --format json."),
        )


def activations() -> Catalogue:
    """Return the catalogue: name, formula, parameters, other names and source of every activation.

    Returns
    -------
    Catalogue
        A sequence of `Listed`, with ``to_json()``, ``to_markdown()``, ``to_latex()`` and ``to_text()``.

    Examples
    --------
    >>> from initmath import activations
    >>> len(activations()) >= 80
    True
    >>> next(a.expression for a in activations() if a.name == "relu")
    'Max(x, 0)'
    """
    return Catalogue(
        tuple(
            Listed(
                entry.name,
                entry.formula,
                {parameter.name: parameter.default for parameter in entry.parameters},
                entry.aliases,
                entry.references,
            )
            for entry in catalogue().values()
        )
    )
