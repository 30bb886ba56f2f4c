"""Any result as plain data for JSON: dataclass fields in, dictionaries and strings out."""

from __future__ import annotations

import json
import math
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

__all__ = ["to_data", "to_json"]


def to_data(value: Any) -> Any:
    """Plain data of a value: a dataclass becomes a dictionary of its fields, in their order.

    A field with ``metadata={"json": False}`` is left out.  An object that has a method ``_data_`` says itself
    what it is.  Infinities become ``"inf"``; NaN raises, because no result may contain one.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> from fractions import Fraction
    >>> @dataclass
    ... class Point:
    ...     q: Fraction
    ...     slope: float | None
    >>> to_data((Point(Fraction(1, 3), None), float("inf")))
    [{'q': '1/3', 'slope': None}, 'inf']
    """
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        if math.isnan(value):
            raise ValueError("a result must not contain NaN")
        return value if math.isfinite(value) else ("inf" if value > 0 else "-inf")
    if isinstance(value, Enum):
        return value.value
    if hasattr(value, "_data_"):
        return value._data_()
    if is_dataclass(value):
        return {
            f.name: to_data(getattr(value, f.name)) for f in fields(value) if f.metadata.get("json", True)
        }
    if isinstance(value, dict):
        return {str(key): to_data(entry) for key, entry in value.items()}
    if isinstance(value, tuple | list | frozenset):
        return [to_data(entry) for entry in value]
    return str(value)


def to_json(value: Any) -> str:
    """JSON text of a value; see `to_data`."""
    return json.dumps(to_data(value), ensure_ascii=False, indent=2, allow_nan=False)
