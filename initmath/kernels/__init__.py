"""Two inputs: the kernel E g(y₁) g(y₂), its derivative kernel, and what deep networks make of them.

`kernel` gives a number with its derivation: the closed form in q₁, q₂ and c if the certified enclosure
agrees, else the enclosure.  `enclose` is the certified route alone, `closed_kernel` the derivation alone.
"""

from initmath.kernels.closed_form import closed_kernel
from initmath.kernels.enclosed import Enclosed, enclose
from initmath.kernels.pair import KINDS, Pair
from initmath.kernels.recursion import InfiniteWidth, infinite_width
from initmath.kernels.routes import Kernel, kernel

__all__ = ["KINDS", "Enclosed", "InfiniteWidth", "Kernel", "Pair", "closed_kernel", "enclose", "infinite_width", "kernel"]
