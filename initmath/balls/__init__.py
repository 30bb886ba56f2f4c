"""From a SymPy expression to certified numbers: Arb balls through python-flint.

`compile_ball` makes an integrand for ``acb.integral``; `evaluate` makes one pass at a fixed precision;
`evaluate_to` repeats it until the asked digits are certain.  No text and no code is generated: an expression
becomes a list of operations on balls.
"""

from initmath.balls.evaluation import evaluate, evaluate_to
from initmath.balls.numbers import accurate, bits, relative_error, to_arb
from initmath.balls.precision import working_precision
from initmath.balls.program import Program, compile_ball, program

__all__ = [
    "Program",
    "accurate",
    "bits",
    "compile_ball",
    "evaluate",
    "evaluate_to",
    "program",
    "relative_error",
    "to_arb",
    "working_precision",
]
