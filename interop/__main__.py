"""`python3 -m interop all|scenarios|offline|online|differential|weaknesses|claims|crashes|manual|shells|units [WORD…]`

Runs the checks whose names hold all words."""

import importlib
import io
import os
import signal
import sys

from .harness.runner import Skipped, run

TITLES = ("scenarios", "offline", "online", "differential", "weaknesses", "claims", "crashes", "manual", "shells", "units")


def main() -> int:
    # Started in the background we may have been told to ignore it, and so would be the nodes.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # Names in a check's complaint need not be UTF-8.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    if len(sys.argv) < 2 or sys.argv[1] not in (*TITLES, "all"):
        print(__doc__, file=sys.stderr)
        return 2
    return max(one(title) for title in (TITLES if sys.argv[1] == "all" else (sys.argv[1],)))


def one(title: str) -> int:
    try:
        checks = importlib.import_module(f".{title}", __package__).checks()
    except Skipped as reason:
        print(f"skipped {title}: {reason}")
        return 1 if os.environ.get("CI") else 0
    return run(title, checks, sys.argv[2:])


if __name__ == "__main__":
    sys.exit(main())
