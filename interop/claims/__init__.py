"""What packmule promises its user: nothing is lost, and no verdict says more than was checked.

One module a subject. In each, every function named `claim_…` is a check, and its docstring is the claim. It gets an
empty directory and may return a word for its line instead of `ok`.
"""

import importlib
import inspect
import pkgutil

from ..harness.runner import Check


def checks() -> list[Check]:
    found = []
    for module in sorted(module.name for module in pkgutil.iter_modules(__path__)):
        members = inspect.getmembers(importlib.import_module(f".{module}", __package__), inspect.isfunction)
        for name, claim in members:
            if name.startswith("claim_"):
                found.append(Check(f"{module}: {' '.join((inspect.getdoc(claim) or '').split())}", claim))
    return found
