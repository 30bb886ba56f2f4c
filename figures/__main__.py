"""``python -m figures [NAME…] [--quick] [--out DIR]``: draw figures; without a name, all of them."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from figures import figure, names
from figures.sheet import save, styled

OUT = Path("figures-out")


def main(arguments: list[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m figures", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="figures; none: all")
    parser.add_argument("--quick", action="store_true", help="smaller networks, fewer of them")
    parser.add_argument("--out", type=Path, default=OUT, metavar="DIR", help=f"default: {OUT}")
    parser.add_argument("--list", action="store_true", help="print the names and stop")
    asked = parser.parse_args(arguments)
    unknown = [name for name in asked.names if name not in names()]
    if unknown:
        print(f"no figure {unknown[0]!r}: choose among {', '.join(names())}", file=sys.stderr)
        return 2
    if asked.list:
        print("\n".join(names()))
        return 0
    try:
        asked.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        print(f"--out {asked.out}: {error.strerror}", file=sys.stderr)
        return 2
    missing = False
    for name in asked.names or names():
        module = figure(name)
        try:
            data = module.data(quick=asked.quick)
        except ModuleNotFoundError as error:
            print(f"{name} needs {error.name}: pip install -e '.[figures]'", file=sys.stderr)
            missing = True
            continue
        module.check(data)
        with styled():
            drawn = module.draw(data)
        for ending in (".svg", ".png"):
            save(drawn, asked.out / f"{name}{ending}")
        (asked.out / f"{name}.txt").write_text(module.caption(data) + "\n", encoding="utf-8")
        print(asked.out / f"{name}.svg")
    return 2 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
