"""`python3 -m interop scenarios|differential|crashes [WORD…]`: the checks whose names hold all words."""

import importlib
import sys

from .runner import run

TITLES = ("scenarios", "differential", "crashes")


def main() -> int:
    if len(sys.argv) < 2 or sys.argv[1] not in TITLES:
        print(__doc__, file=sys.stderr)
        return 2
    module = importlib.import_module(f".{sys.argv[1]}", __package__)
    return run(sys.argv[1], module.checks(), sys.argv[2:])


if __name__ == "__main__":
    sys.exit(main())
