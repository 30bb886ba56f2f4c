"""``python -m initmath`` is the command line."""

from initmath.cli import main

if __name__ == "__main__":
    main()
