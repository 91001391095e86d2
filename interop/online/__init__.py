"""Calls between all pairs of implementations: alice calls, bob answers."""

from collections.abc import Callable
from pathlib import Path

from ..harness.implementation import packmule, reference
from ..harness.runner import Check
from ..harness.world import World
from .connections import (
    by_schedule,
    by_schedule_when_tx_exists,
    daemon_stopped,
    discovery,
    over_a_pipe,
    over_ucspi,
    second_address,
    stopped,
    unknown_caller,
    unverified,
)
from .transfers import (
    a_gibibyte,
    a_named_packet,
    both_ways,
    cut_fifty_times,
    empty,
    listing,
    niceness,
    one_way,
    queued_during_the_session,
    rates,
    to_the_called,
    to_the_caller,
    tossing_at_the_same_time,
    two_thousand,
)

SCENARIOS = {
    "empty": empty,
    "to the called": to_the_called,
    "to the caller": to_the_caller,
    "both ways at once": both_ways,
    "1 GiB": a_gibibyte,
    "2000 small packets": two_thousand,
    "cut 50 times": cut_fifty_times,
    "niceness limit": niceness,
    "one way": one_way,
    "list": listing,
    "a named packet": a_named_packet,
    "rates": rates,
    "packets queued during the session": queued_during_the_session,
    "tossing at the same time": tossing_at_the_same_time,
    "over a pipe": over_a_pipe,
    "over UCSPI": over_ucspi,
    "by schedule": by_schedule,
    "by schedule when-tx-exists": by_schedule_when_tx_exists,
    "unverified": unverified,
    "unknown caller": unknown_caller,
    "second address": second_address,
    "discovery": discovery,
    "stopped by a signal": stopped,
    "daemon stopped by a signal": daemon_stopped,
}
# The reference ends its last call after so many broken ones with status 1 now and then, also against itself:
# nothing is learnt about packmule there.
NOT_AGAINST_ITSELF = {"cut 50 times"}


def checks() -> list[Check]:
    sides = (packmule(), reference())

    def check(name: str, scenario: Callable[[World], None], caller, called) -> Check:
        def prove(directory: Path) -> None:
            scenario(World(directory, {"alice": caller, "bob": called}))

        attempts = 3 if "reference" in (str(caller), str(called)) else 1
        return Check(f"online {name}: {caller} calls {called}", prove, attempts)

    return [
        check(name, scenario, caller, called)
        for name, scenario in SCENARIOS.items()
        for caller in sides
        for called in sides
        if name not in NOT_AGAINST_ITSELF or "packmule" in (str(caller), str(called))
    ]
