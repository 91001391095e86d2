"""Bundles, chunked files, areas and acknowledgements, where the scenarios of single packets do not look."""

import itertools
from collections.abc import Callable
from pathlib import Path

from ..harness.implementation import packmule, reference
from ..harness.runner import Check, Skipped
from ..harness.world import World
from . import acknowledgements, areas, bundles, chunks, streams

SCENARIOS: dict[str, Callable[[World], None]] = {
    "bundle, byte for byte": bundles.bundle_bytes,
    "bundle of nothing": bundles.bundle_without_packets,
    "bundles with noise between": bundles.bundles_in_noise,
    "bundle that is a recording": bundles.recording_verified,
    "bundle that is cut": bundles.cut_bundle,
    "bundle that is damaged": bundles.damaged_bundle,
    "bundle made by a tar program": bundles.archived_medium,
    "chunks one after the other": chunks.chunks_in_any_order,
    "description of chunks": chunks.dumped,
    "waiting for acknowledgements": acknowledgements.waiting_for_acks,
    "acknowledgement of an acknowledgement": acknowledgements.acks_of_acks,
    "acknowledgements made while tossing": acknowledgements.generated_acks,
    "standard input and output that are closed": streams.closed_output_and_input,
    "results that can not be written": streams.lost_results,
    "a reader that goes": streams.reader_that_goes,
    "a limit of file sizes": streams.limited_file_size,
    "area, unknown author": areas.unknown_author,
    "area, unknown": areas.unknown_area,
    "area, no echo to the author": areas.author_gets_no_echo,
    "area, subscriber behind a subscriber": areas.relay_that_subscribes,
    "area, message left by a filter": areas.filtered_message,
}


def checks() -> list[Check]:
    sides = (reference(), packmule())
    found = []
    for title, scenario in SCENARIOS.items():
        for alice, bob in itertools.product(sides, repeat=2):
            world = {"alice": alice, "carol": bob, "bob": bob}
            found.append(Check(f"{title}: {alice} > {bob}", prove(scenario, world)))
    return found


def prove(scenario: Callable[[World], None], implementations: dict) -> Callable[[Path], str | None]:
    def run(directory: Path) -> str | None:
        try:
            scenario(World(directory, implementations))
        except Skipped as reason:
            return "other" if "only packmule" in str(reason) else "skipped"
        return None

    return run
